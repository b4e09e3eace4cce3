"""The units of a run with their processes: does the actions, notices what ends, keeps the values that `decide` reads.

Actions run on a bounded pool, one at a time for each unit. One that fails is recorded with its reason and tried again
after a pause; nothing that an action does ends the plane.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from local.events import Events
from local.plane import running
from local.plane.actor import Actor, StorageGone, end
from local.plane.decide import Change, CutOff, Start, Stop, UnitAction
from local.plane.running import CRASH_LOOP, Phase, Unit
from local.plane.wanted import Spec, is_promoted

_AT_ONCE = 12
_DIES = 5.0


class Units:
    """All units.

    Args:
        actors: by class of spec.
        events: where everything that happens is recorded.
        changed: called when a unit has changed.
    """

    def __init__(self, actors: Mapping[type[Any], Actor[Any]], events: Events, changed: Callable[[], None]) -> None:
        self._actors = actors
        self._events = events
        self._changed = changed
        self._lock = threading.Lock()
        self._units: dict[str, Unit] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, "action")

    def snapshot(self) -> dict[str, Unit]:
        with self._lock:
            return dict(self._units)

    def processes(self) -> list[tuple[Spec, int]]:
        """What runs, each with its process id."""
        with self._lock:
            return [(self._units[name].spec, process.pid) for name, process in self._processes.items()]

    def begin(self, action: UnitAction) -> None:
        """Starts an action; its unit is busy until it is done."""
        name = action.spec.name
        with self._lock:
            before = self._units.get(name)
            self._units[name] = running.begun(action.spec, before, time.monotonic())
        self._pool.submit(self._act, action, before)

    def stop_all(self, specs: list[Spec], seconds: float) -> None:
        """Stops units in parallel, without forgetting their data; waits at most so long."""
        stops = [self._pool.submit(self._stop, spec, forget=False) for spec in specs]
        deadline = time.monotonic() + seconds
        for stop in stops:
            try:
                stop.result(max(0.0, deadline - time.monotonic()))
            except Exception as error:  # noqa: BLE001  the others must be stopped all the same
                self._events.record("failed", "supervisor", f"a unit did not stop: {error}")

    def close(self) -> None:
        """Takes no more actions."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _act(self, action: UnitAction, before: Unit | None) -> None:
        name = action.spec.name
        try:
            match action:
                case Start(spec):
                    self._started(spec, self._actor(spec).start(spec), again=before is not None and before.started)
                case Change(old, spec):
                    self._started(spec, self._actor(spec).change(self._processes[name], old, spec), again=False)
                case Stop(spec, forget):
                    self._stop(spec, forget=forget)
                case CutOff(spec):
                    self._cut_off(spec)
        except Exception as error:  # noqa: BLE001  whatever went wrong, it is recorded and tried again
            self._failed(action, error)
        self._changed()

    def _actor(self, spec: Spec) -> Actor[Any]:
        return self._actors[type(spec)]

    def _started(self, spec: Spec, process: subprocess.Popen[bytes], *, again: bool) -> None:
        with self._lock:
            fresh, before = self._processes.get(spec.name) is not process, self._units[spec.name].spec
            self._processes[spec.name] = process
            self._units[spec.name] = running.succeeded(self._units[spec.name], spec, time.monotonic())
        if fresh:
            kind = "restarted" if again else "started"
            self._events.record(kind, spec.name, f"{spec.name} was {kind}", pid=process.pid)
            threading.Thread(
                target=self._watch, args=(spec.name, process), name=f"watch {spec.name}", daemon=True
            ).start()
        else:
            kind = "promoted" if is_promoted(before, spec) else "changed"
            self._events.record(kind, spec.name, f"{spec.name} was {kind}")

    def _stop(self, spec: Spec, *, forget: bool) -> None:
        with self._lock:
            process = self._processes.pop(spec.name, None)
        self._actor(spec).stop(process, spec, forget=forget)
        with self._lock:
            self._units.pop(spec.name, None)
        self._events.record("stopped", spec.name, f"{spec.name} was stopped")

    def _cut_off(self, spec: Spec) -> None:
        with self._lock:
            process = self._processes.pop(spec.name, None)
        end(process, signal.SIGKILL, _DIES)
        with self._lock:
            self._units[spec.name] = running.cut_off(self._units[spec.name], time.monotonic())
        self._events.record("cut-off", spec.name, f"{spec.name} was cut off: its standby takes over")

    def _failed(self, action: UnitAction, error: Exception) -> None:
        name = action.spec.name
        what = type(action).__name__.lower()
        with self._lock:
            back_to = Phase.RUNNING if isinstance(action, Change) and self._alive(name) else Phase.DOWN
            unit = running.failed(self._units[name], time.monotonic(), back_to, for_good=isinstance(error, StorageGone))
            self._units[name] = unit
        self._events.record("failed", name, f"cannot {what} {name}: {error}", failures=unit.failures)

    def _alive(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def _watch(self, name: str, process: subprocess.Popen[bytes]) -> None:
        """Waits for a process's end; one that nobody asked for counts as a failure."""
        code = process.wait()
        with self._lock:
            if self._processes.get(name) is not process:
                return
            del self._processes[name]
            unit = self._units[name]
            if unit.phase is not Phase.RUNNING:
                return
            unit = running.exited(unit, time.monotonic())
            self._units[name] = unit
        text = f"{name} ended by itself ({_how(code)})"
        self._events.record("exited", name, text, code=code, failures=unit.failures)
        if unit.failures == CRASH_LOOP:
            self._events.record(
                "crash-looping", name, f"{name} ended {CRASH_LOOP} times in a row; it is tried less often"
            )
        self._changed()


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"

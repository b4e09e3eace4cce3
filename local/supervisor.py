"""The one process that a run of the local cloud hangs on: the control plane as its child, and the data plane.

    python -m local.supervisor .local/run --network 10 --region us-east-1

`run.json` appears when calls are answered. SIGTERM stops everything in order: balancer, clones, stores, control plane.
A control plane that dies takes the run with it: what AWS knew is gone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from goldfleet.errors import GoldfleetError, LocalCloudError
from local import logs, processes
from local.events import Events
from local.network_number import claimed_network
from local.plane.actor import clean_environment, end, wait_ready
from local.plane.control import Control
from local.plane.plane import Plane
from local.plane.releases import PROJECT
from local.run_folder import Run, RunFolder, make_volatile_folder

_CONTROL_STARTS = 60.0
_CONTROL_STOPS = 5.0
_LEFT_OVER = 5.0
_TRIM = 10.0


class Supervisor:
    """One run, from start to stop.

    Args:
        folder: where everything of the run lies.
        network: the checkout's N.
        region: whose resources are run.
    """

    def __init__(self, folder: RunFolder, network: int, region: str) -> None:
        self._folder = folder
        self._network = network
        self._region = region
        self._events = Events(folder.events)
        self._stop = threading.Event()
        self._failed = False

    def run(self) -> int:
        """Runs until a signal or until the control plane ends; returns the exit code.

        Raises:
            GoldfleetError: it could not start; nothing is left running.
        """
        self._folder.create()
        volatile = make_volatile_folder(self._network)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        try:
            control = self._start_control()
            self._work(control, volatile)
            end(control, signal.SIGTERM, _CONTROL_STOPS)
        finally:
            self._stop.set()
            processes.end_all(self._folder, grace=_LEFT_OVER)
            shutil.rmtree(volatile, ignore_errors=True)
        self._events.record("stopped", "supervisor", "the local cloud was stopped")
        return 1 if self._failed else 0

    def _start_control(self) -> subprocess.Popen[bytes]:
        ready = self._folder.root / "control.json"
        ready.unlink(missing_ok=True)
        command = (
            sys.executable, "-m", "local.control", "--network", str(self._network), "--data-plane",
            "--ready-file", str(ready), "--exit-with-parent",
        )  # fmt: skip
        environment = clean_environment(PYTHONPATH=str(PROJECT), PYTHONUNBUFFERED="1")
        program = processes.Program("control", command, PROJECT, self._folder.control_log, environment)
        control = processes.spawn(self._folder, program)
        wait_ready(control, lambda: ready.exists() or self._stop.is_set(), self._folder.control_log, _CONTROL_STARTS)
        return control

    def _work(self, control: subprocess.Popen[bytes], volatile: Path) -> None:
        if self._stop.is_set():
            return
        endpoint = json.loads((self._folder.root / "control.json").read_text())["endpoint"]
        plane = Plane(self._folder, volatile, Control(endpoint, self._region), self._events)
        for work in (self._watch_control, self._trim_logs):
            threading.Thread(target=work, args=(control, plane), name=work.__name__, daemon=True).start()
        started = processes.start_time(os.getpid())
        if started is None:
            raise LocalCloudError("supervisor", "the system does not tell when it started", "use Linux")
        self._folder.write_run(Run(self._network, endpoint, os.getpid(), started))
        self._events.record("started", "supervisor", f"the local cloud answers on {endpoint}", pid=os.getpid())
        plane.run(self._stop)

    def _watch_control(self, control: subprocess.Popen[bytes], plane: Plane) -> None:
        code = control.wait()
        if not self._stop.is_set():
            self._failed = True
            text = f"the control plane ended with code {code}; what AWS knew is gone, so the run ends"
            self._events.record("exited", "control", text, code=code)
            self._stop.set()
            plane.wake()

    def _trim_logs(self, *_: object) -> None:
        while not self._stop.wait(_TRIM):
            logs.trim(self._folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the local cloud of one run folder; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.supervisor", description="Runs the local cloud.")
    parser.add_argument("folder", type=Path, nargs="?", default=PROJECT / ".local" / "run", help="default: .local/run")
    parser.add_argument("--network", type=int, metavar="N", help="default: the checkout's own")
    parser.add_argument("--region", default="us-east-1", help="whose resources are run, default %(default)s")
    options = parser.parse_args(arguments)
    try:
        with nullcontext(options.network) if options.network else claimed_network(PROJECT) as network:
            return Supervisor(RunFolder(options.folder.resolve()), network, options.region).run()
    except GoldfleetError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())

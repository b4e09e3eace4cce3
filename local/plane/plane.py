"""The data plane: observe, decide, act, report; again whenever AWS, a process or the balancer has changed something."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import botocore.exceptions

from goldfleet.errors import LocalCloudError
from local.events import Events
from local.plane.booted_clones import BootedClones
from local.plane.clones import Clones, Machines, Sidecars, console_text
from local.plane.control import Control
from local.plane.decide import ReportImpaired, ReportUnhealthy, decide, store_statuses
from local.plane.haproxy import HAProxy
from local.plane.haproxy_api import RuntimeApi
from local.plane.meter import Meter
from local.plane.node_health import NodeHealth
from local.plane.observe import Observer
from local.plane.postgres import Postgres
from local.plane.releases import Releases
from local.plane.reports import Reports
from local.plane.request_log import RequestLog
from local.plane.running import Running, Unit
from local.plane.target_health import TargetHealth
from local.plane.units import Units
from local.plane.valkey import Valkey
from local.plane.wanted import BootedClone, Clone, Database, Sidecar, Spec, StoreNode, Wanted
from local.plane.wanted_balancing import Balancing
from local.run_folder import RunFolder

_TICK = 1.0
_CONSOLES = 2.0
_LOOK_ANYWAY = 30.0
_LONG_POLL = 20.0
_PAUSE = 1.0
_STOP_ORDER: tuple[tuple[type[Spec], ...], ...] = ((Balancing,), (Clone,), (Sidecar,), (StoreNode, Database))
_STOP_EACH = 25.0

Unanswered = (LocalCloudError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError)


class Plane:
    """The data plane of one run.

    Args:
        folder: the run.
        volatile: its folder in memory.
        control: the control plane.
        events: where everything that happens is recorded.
    """

    def __init__(self, folder: RunFolder, volatile: Path, control: Control, events: Events) -> None:
        self._control = control
        self._events = events
        self._wake = threading.Event()
        self._stale = threading.Event()
        self._stale.set()
        self._wanted = Wanted()
        self._observed_at = 0.0
        self._reported_unhealthy: frozenset[str] = frozenset()
        self._last_complaint = ""
        self._said: frozenset[str] = frozenset()
        self._observer = Observer(control)
        self._reports = Reports(control)
        self._machines = Machines(folder, volatile)
        # A unix socket's path must be short, so it does not lie in the run folder.
        api = RuntimeApi(volatile / "balancer" / "api.sock")
        self._health = TargetHealth(api, events, self._wake.set)
        requests = RequestLog(volatile / "balancer" / "requests.sock")
        self._releases = Releases(folder, control.client("ebs"))
        stores = Valkey(folder)
        self._units = Units(
            {
                Database: Postgres(folder),
                StoreNode: stores,
                Balancing: HAProxy(folder, api, self._health.in_rotation, requests),
                Clone: Clones(self._machines, self._releases, self._last_words),
                BootedClone: BootedClones(self._machines, self._releases, self._last_words),
                Sidecar: Sidecars(self._machines),
            },
            events,
            self._wake.set,
        )
        self._nodes = NodeHealth(self._units.snapshot, stores.info, self._wake.set)
        self._meter = Meter(control, self._units, requests)

    def wake(self) -> None:
        """Makes the next pass begin now."""
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set, then stops everything that runs, in order."""
        threads = [
            threading.Thread(target=self._follow_changes, args=(stop,), name="changes", daemon=True),
            threading.Thread(target=self._health.run, args=(stop,), name="targets", daemon=True),
            threading.Thread(target=self._nodes.run, args=(stop,), name="nodes", daemon=True),
            threading.Thread(target=self._report_consoles, args=(stop,), name="consoles", daemon=True),
            threading.Thread(target=self._meter.run, args=(stop,), name="meter", daemon=True),
        ]
        for thread in threads:
            thread.start()
        while not stop.is_set():
            self._wake.wait(_TICK)
            self._wake.clear()
            if not stop.is_set():
                self.reconcile()
        self._stop_all()

    def reconcile(self) -> None:
        """One pass. What goes wrong is recorded and tried again with the next one."""
        try:
            self._observe()
            self._health.want(self._wanted, self._started())
            running = self._running()
            for action in decide(self._wanted, running, time.monotonic()):
                if isinstance(action, ReportUnhealthy):
                    self._report_unhealthy(action)
                elif isinstance(action, ReportImpaired):
                    self._control.report("impaired", {"rds": {action.identifier: action.zone}})
                else:
                    self._units.begin(action)
            self._reports.stores({**store_statuses(self._wanted, running), "nodes": self._nodes.view})
            self._reports.targets(self._health.view().report)
        except Unanswered as error:
            self._complain(f"a pass was cut off: {error}")
        else:
            self._last_complaint = ""
        self._machines.close_all_but(self._instances())

    def _complain(self, text: str) -> None:
        """Records what went wrong, once while it goes on."""
        if text != self._last_complaint:
            self._events.record("failed", "data plane", text)
        self._last_complaint = text

    def _observe(self) -> None:
        now = time.monotonic()
        if not self._stale.is_set() and now - self._observed_at < _LOOK_ANYWAY:
            return
        self._stale.clear()
        try:
            self._wanted = self._observer.observe()
        except Unanswered:
            self._stale.set()
            raise
        self._observed_at = now
        self._releases.expect(self._wanted.releases)
        for sentence in sorted(self._wanted.not_imitated - self._said):
            self._events.record("not-imitated", "data plane", sentence)
        self._said |= self._wanted.not_imitated

    def _started(self) -> frozenset[str]:
        units = self._units.snapshot().values()
        return frozenset(unit.spec.instance_id for unit in units if isinstance(unit.spec, Clone) and unit.started)

    def _running(self) -> Running:
        view = self._health.view()
        return Running(self._units.snapshot(), view.serving, view.healthy_once, self._reported_unhealthy)

    def _report_unhealthy(self, action: ReportUnhealthy) -> None:
        self._control.client("autoscaling").set_instance_health(
            InstanceId=action.instance_id, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False
        )
        self._reported_unhealthy |= {action.instance_id}
        text = f"{action.instance_id} is unhealthy: {action.reason}; its group replaces it"
        self._events.record("unhealthy", action.instance_id, text)

    def _instances(self) -> set[str]:
        units = [unit.spec for unit in self._units.snapshot().values()]
        running = {spec.clone.instance_id for spec in units if isinstance(spec, Sidecar)}
        running |= {spec.instance_id for spec in units if isinstance(spec, Clone)}
        return running | {clone.instance_id for clone in self._wanted.clones}

    def _follow_changes(self, stop: threading.Event) -> None:
        version = -1
        while not stop.is_set():
            try:
                newest = self._control.version_after(version, _LONG_POLL)
            except LocalCloudError:
                stop.wait(_PAUSE)
                continue
            if newest != version:
                version = newest
                self._stale.set()
                self._wake.set()

    def _report_consoles(self, stop: threading.Event) -> None:
        while not stop.wait(_CONSOLES):
            clones = [unit.spec for unit in self._units.snapshot().values() if isinstance(unit.spec, Clone)]
            texts = {clone.instance_id: console_text(self._machines.console(clone)) for clone in clones}
            try:
                self._reports.consoles(texts)
            except LocalCloudError:
                continue

    def _last_words(self, instance_id: str, text: str) -> None:
        with contextlib.suppress(LocalCloudError):
            self._control.report("instances", {instance_id: {"console": text}})

    def _stop_all(self) -> None:
        units: list[Unit] = list(self._units.snapshot().values())
        for kinds in _STOP_ORDER:
            self._units.stop_all([unit.spec for unit in units if isinstance(unit.spec, kinds)], _STOP_EACH)
        self._units.close()
        self._machines.close_all_but(set())

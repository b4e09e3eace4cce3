"""Tells the control plane what CloudWatch should know: how busy instances are, and how requests went."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from goldfleet.errors import LocalCloudError
from local.plane.control import Control
from local.plane.cpu import CpuMeter
from local.plane.request_log import RequestLog, to_report
from local.plane.units import Units
from local.plane.wanted import Clone, Sidecar, Spec

_REPORT = 0.5
"""Seconds between two reports: several in a minute of CloudWatch."""


class Meter:
    """Measures and reports.

    Args:
        control: who is told.
        units: what runs.
        requests: what the balancer has answered.
    """

    def __init__(self, control: Control, units: Units, requests: RequestLog) -> None:
        self._control = control
        self._units = units
        self._requests = requests
        self._cpu = CpuMeter()

    def run(self, stop: threading.Event) -> None:
        """Reports until `stop` is set; a report that does not arrive is lost, as a metric may be."""
        while not stop.wait(_REPORT):
            percents = self._cpu.percents(instances(self._units.processes()), time.monotonic())
            report = {"instances": percents, "requests": to_report(self._requests.take())}
            try:
                self._control.report("metrics", report)
            except LocalCloudError:
                continue


def instances(processes: Iterable[tuple[Spec, int]]) -> dict[str, list[int]]:
    """Process ids by instance id: a clone, and what runs beside it."""
    found: dict[str, list[int]] = {}
    for spec, pid in processes:
        clone = spec.clone if isinstance(spec, Sidecar) else spec
        if isinstance(clone, Clone):
            found.setdefault(clone.instance_id, []).append(pid)
    return found

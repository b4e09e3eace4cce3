"""How busy clones are, from the kernel's own figures of real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

from local.plane.cpu import CpuMeter, seconds_used
from local.plane.meter import instances
from local.plane.request_log import Answered, parse, to_report
from local.plane.wanted import Sidecar, Spec
from tests.local.plane.cloud import wait_for
from tests.local.plane.specs import CLONE, MAIN

BUSY = "while True: pass"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"


def test_what_a_child_works_counts_for_its_clone() -> None:
    meter = CpuMeter()
    with (
        subprocess.Popen([sys.executable, "-c", PARENT], process_group=0) as busy,
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as idle,
    ):
        try:
            wait_for(lambda: seconds_used(busy.pid) > 0.1)
            processes = {"i-busy": [busy.pid], "i-idle": [idle.pid], "i-gone": []}
            assert meter.percents(processes, time.monotonic()) == {}  # nothing to compare with yet
            used = seconds_used(busy.pid)
            wait_for(lambda: seconds_used(busy.pid) > used + 0.1)
            found = meter.percents(processes, time.monotonic())
            assert found["i-busy"] > found["i-idle"]
            assert 0 < found["i-busy"] <= 100
            assert found["i-gone"] == 0
        finally:
            subprocess.run(["kill", "-KILL", "--", f"-{busy.pid}"], check=True)
            idle.kill()
    assert seconds_used(busy.pid) == 0


def test_a_clone_and_what_runs_beside_it_are_one_instance() -> None:
    other = replace(CLONE, instance_id="i-other")
    running: list[tuple[Spec, int]] = [(CLONE, 1), (Sidecar(CLONE), 2), (other, 3), (MAIN, 4)]
    assert instances(running) == {CLONE.instance_id: [1, 2], "i-other": [3]}


def test_lines_that_are_no_request_are_passed_over() -> None:
    assert parse(b"Proxy site:80 stopped (cumulated conns: FE: 1, BE: 0).") is None
    assert parse(b"") is None


def test_a_redirect_is_the_balancers_own_answer() -> None:
    answered = parse(b"request site:80 site:80 <NOSRV> 301 -1")
    assert answered == Answered("site", "", "", 301, None)


def test_a_report_has_seconds() -> None:
    (said,) = to_report(Counter({Answered("site", "group", "i-1", 200, 12): 3}))
    assert (said["seconds"], said["count"], said["target"]) == (0.012, 3, "i-1")

"""Starts and stops the local cloud's supervisor, and cleans up after one that died."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from goldfleet.cli.checkout import CHECKOUT, RUN
from goldfleet.errors import LocalCloudError
from local import processes
from local.addresses import control_endpoint
from local.network_number import choose_network
from local.run_folder import Run, RunFolder, volatile_folder

READY_SECONDS = 60
STOP_SECONDS = 60
END_SECONDS = 5
ENGINE_SECONDS = 60
LOG_LINES = 12

Report = Callable[[str], None]

FOLDER = RunFolder(RUN)


def running() -> Run | None:
    """The local cloud of this checkout, or None when none runs."""
    run = FOLDER.read_run()
    return run if run and _supervisor(run).alive else None


def require_running() -> Run:
    """The local cloud of this checkout.

    Raises:
        LocalCloudError: it does not run.
    """
    run = running()
    if run is None:
        raise LocalCloudError("stack local", "the local cloud does not run", "start it with `goldfleet up`")
    return run


def endpoint() -> str:
    """Where the control plane of this checkout answers, or will answer once it is started."""
    run = running()
    return run.endpoint if run else control_endpoint(choose_network(CHECKOUT))


def begin(region: str, report: Report) -> subprocess.Popen[bytes]:
    """Starts the supervisor and returns at once; what a dead one left is removed first.

    Args:
        region: whose resources it runs.
        report: is told what is removed.
    """
    _discard(report)
    FOLDER.create()
    command = (sys.executable, "-m", "local.supervisor", str(RUN), "--region", region)
    program = processes.Program("supervisor", command, CHECKOUT, FOLDER.log, _environment())
    return processes.spawn(FOLDER, program)


def wait_ready(supervisor: subprocess.Popen[bytes]) -> Run:
    """Waits until the supervisor that `begin` started is ready.

    Raises:
        LocalCloudError: it died, with the end of its log, or it took too long.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        run = running()
        if run and run.supervisor == supervisor.pid:
            return run
        if supervisor.poll() is not None:
            break
        time.sleep(0.05)
    raise LocalCloudError(
        "local cloud", f"it did not start; the end of its log:\n{_log_end(FOLDER.log)}", "run `goldfleet up` again"
    )


def end_lost_engine(report: Report) -> None:
    """Lets an engine whose command was killed record what it has made; it is killed when that takes too long."""
    lost = [process for process in processes.of_run(FOLDER) if not process.command]
    if not lost:
        return
    report("waiting for the engine of a killed command to end")
    if not processes.wait_until(lambda: not any(process.alive for process in lost), ENGINE_SECONDS):
        processes.end(lost, signal.SIGKILL, grace=END_SECONDS)


def stop(report: Report) -> None:
    """Ends every process of the local cloud and removes its folders; fine when there is nothing."""
    run = FOLDER.read_run()
    if run and (supervisor := _supervisor(run)).alive:
        report("stopping the local cloud")
        processes.end([supervisor], signal.SIGTERM, grace=STOP_SECONDS)
    _discard(report)


def _discard(report: Report) -> None:
    """Removes a run whose supervisor is dead: processes first, then files."""
    if not FOLDER.root.exists():
        return
    left = processes.end_all(FOLDER, grace=END_SECONDS)
    if left:
        report(f"ended {len(left)} processes that a dead supervisor left")
    run = FOLDER.read_run()
    shutil.rmtree(volatile_folder(run.network if run else choose_network(CHECKOUT)), ignore_errors=True)
    FOLDER.remove()
    if not any(FOLDER.root.parent.iterdir()):
        FOLDER.root.parent.rmdir()


def _supervisor(run: Run) -> processes.Process:
    return processes.Process("supervisor", run.supervisor, run.started, ())


def _environment() -> dict[str, str]:
    """Nothing of the person's AWS account reaches the local cloud."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}


def _log_end(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"  | {line}" for line in lines[-LOG_LINES:]) or "  | (empty)"

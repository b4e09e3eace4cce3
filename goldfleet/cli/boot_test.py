"""Boots a release in a virtual machine, shows each finding, and notes the release if all is true of it."""

from __future__ import annotations

from rich.text import Text

from goldfleet.cli.terminal import Step, Terminal
from goldfleet.errors import ReleaseError
from image.bake import Baked
from image.registry import boot_record
from image.registry.volume import app_volume
from local.boot_test.boot import Image
from local.boot_test.guard import guarded_run
from local.boot_test.report import Finding, Report
from local.boot_test.run import run
from local.machine.qemu import Accelerator

MARKS = {True: ("ok", "green"), False: ("FAIL", "red")}
CONSOLE_LINES = 30


class _Shown:
    """Shows how a test goes on."""

    def __init__(self, terminal: Terminal, step: Step) -> None:
        self._terminal, self._step = terminal, step

    def progress(self, text: str) -> None:
        self._step.note(text)

    def found(self, finding: Finding) -> None:
        mark, colour = MARKS[finding.passed]
        self._terminal.console.print(Text.assemble((f"{mark:<5}", colour), f"{finding.name}: {finding.saw}"))


def boot_test(baked: Baked, terminal: Terminal, accelerator: Accelerator = Accelerator.TCG) -> Report:
    """Tests a release; one that passes is noted on this machine, and may be registered.

    Args:
        baked: the release, with an OS layer.
        terminal: shows the findings, and the end of the console if one is bad.
        accelerator: who executes the machine's code.

    Raises:
        ReleaseError: there is no OS layer to boot.
        ToolMissing: a program that is needed is not here.
    """
    if baked.os is None:
        raise ReleaseError("image.layers", "an image without an OS layer cannot be booted", "write [os, app]")
    with guarded_run() as folder, terminal.step("testing the image") as step:
        app = folder.root / "app.raw"
        app_volume(baked.release, baked.app.file_system).write(app)
        report = run(folder, Image(baked.release, baked.os.disk, app), accelerator, _Shown(terminal, step))
    if report.passed:
        boot_record.record(baked.release, _facts(report, accelerator))
    else:
        _show_failure(report, terminal)
    return report


def _facts(report: Report, accelerator: Accelerator) -> dict[str, object]:
    return {
        "healthy_after_seconds": round(report.healthy_after or 0, 1),
        "accelerator": accelerator.value,
        "findings": {finding.name: finding.saw for finding in report.findings},
    }


def _show_failure(report: Report, terminal: Terminal) -> None:
    terminal.console.print(f"the end of the console, {CONSOLE_LINES} lines:")
    for line in report.console.splitlines()[-CONSOLE_LINES:]:
        terminal.console.print(Text(f"  | {line}"))

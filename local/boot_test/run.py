"""The test, from power-on to the last finding: one whole life of a machine, and one that is cut off."""

from __future__ import annotations

from typing import Protocol

from goldfleet.contract import deadlines, service
from goldfleet.errors import LocalCloudError
from local.boot_test import checks, diagnosis, visitor
from local.boot_test.boot import Boot, Image, boot
from local.boot_test.report import Finding, Report
from local.boot_test.world import World, world
from local.machine.qemu import Accelerator
from local.processes import wait_until
from local.run_folder import RunFolder

STARTS = 300.0
"""Seconds from power-on to healthy, at most; an emulated machine on a busy computer is slow."""
REPORTS = 90.0
"""Seconds that the boot report and the last lines may take after that."""
POWERS_OFF = deadlines.STOP + 40.0
_POLL = 0.3
"""Seconds between two looks: the emulated machine needs the processors."""
HEALTHY = "the app is healthy"
POWER = "ACPI power-off ends the machine cleanly"


class Listener(Protocol):
    """Who is told how the test goes on."""

    def progress(self, text: str) -> None:
        """What is done now."""

    def found(self, finding: Finding) -> None:
        """One finding, as soon as it is known."""


class _Findings(list[Finding]):
    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self._listener = listener

    def add(self, *findings: Finding) -> None:
        for finding in findings:
            self.append(finding)
            self._listener.found(finding)


def run(folder: RunFolder, image: Image, accelerator: Accelerator, listener: Listener) -> Report:
    """Boots an image twice and says what is true of it. A reason to fail ends the test as soon as it is known.

    Args:
        folder: for all that runs; it is guarded (`local.boot_test.guard`).
        image: what to boot.
        accelerator: who executes its code.
        listener: told what happens.

    Raises:
        GoldfleetError: what is around the machine does not start; that says nothing about the image.
    """
    findings = _Findings(listener)
    listener.progress("starting PostgreSQL, Valkey and a control plane")
    with world(folder) as around:
        listener.progress("power on")
        with boot(around, 1, image, accelerator) as first:
            healthy_after = _become_healthy(first, findings)
            if healthy_after is not None:
                _look(around, first, findings, listener)
                listener.progress("power off, with a request under way")
                findings.add(*_power_off(first))
                findings.add(checks.lines_arrived(around.lines(first.instance_id)))
            console = first.guest.console.text()
        if healthy_after is not None:
            listener.progress("a second boot, to be cut off")
            with boot(around, 2, image, accelerator) as second:
                _cut_off(around, first, second, findings)
    return Report(tuple(findings), healthy_after, console)


def _become_healthy(machine: Boot, findings: _Findings) -> float | None:
    reason: list[str] = []

    def settled() -> bool:
        if visitor.healthy(machine.site):
            return True
        why = diagnosis.reason(machine.guest.console.text())
        if why is None and not machine.guest.alive:
            why = f"the machine has switched itself off; {machine.guest.why_ended()}"
        reason.extend([why] if why else [])
        return why is not None

    in_time = wait_until(settled, STARTS, _POLL)
    seconds = machine.seconds
    if in_time and not reason:
        findings.add(Finding(HEALTHY, True, f"{seconds:.1f} s after power-on"))
        return seconds
    why = reason[0] if reason else f"it does not answer {STARTS:.0f} s after power-on"
    findings.add(Finding(HEALTHY, False, f"{why} ({seconds:.1f} s after power-on)"))
    return None


def _look(around: World, machine: Boot, findings: _Findings, listener: Listener) -> None:
    findings.add(visitor.sees_a_page(machine.site), visitor.logs_in(machine.site))
    listener.progress("waiting for the boot report")
    wait_until(lambda: checks.boot_report(around.lines(machine.instance_id)) is not None, REPORTS, _POLL)
    findings.add(*checks.all_of(checks.boot_report(around.lines(machine.instance_id)), service.PORT))


def _power_off(machine: Boot) -> list[Finding]:
    try:
        request = visitor.UnfinishedRequest(machine.site)
        machine.guest.monitor.press_power()
        closed = visitor.wait_until_closed(machine.site)
        answer = request.finish()
    except (OSError, LocalCloudError) as error:
        return [Finding(POWER, False, str(error))]
    drained = Finding(
        "a request under way is finished while the app drains",
        closed and answer == "HTTP 201",
        f"new requests {'refused' if closed else 'STILL TAKEN'}, the open one: {answer}",
    )
    off = wait_until(lambda: not machine.guest.alive, POWERS_OFF, _POLL)
    if not off:
        return [drained, Finding(POWER, False, f"it is still on after {POWERS_OFF:.0f} s")]
    machine.guest.console.join()
    console = machine.guest.console.text()
    dirty = [line.strip() for line in console.splitlines() if "[FAILED]" in line or "Failed to unmount" in line]
    clean = "reboot: Power down" in console and not dirty and machine.guest.process.returncode == 0
    return [drained, Finding(POWER, clean, "; ".join(dirty) or "the console says: Power down")]


def _cut_off(around: World, first: Boot, second: Boot, findings: _Findings) -> None:
    wait_until(lambda: checks.machine_id(around.lines(second.instance_id)) is not None, STARTS, _POLL)
    healthy = visitor.healthy(second.site)
    second.guest.pull_plug()
    lines = around.lines(second.instance_id)
    findings.add(
        checks.cut_off_lines_arrived(lines, healthy),
        checks.ids_differ(checks.machine_id(around.lines(first.instance_id)), checks.machine_id(lines)),
    )

"""`goldfleet deploy`: bakes the app of this checkout, pins its digest, then runs the program."""

from __future__ import annotations

import argparse

from goldfleet.cli.boot_test import boot_test
from goldfleet.cli.bring_up import bring_up, show_stack, start_cloud
from goldfleet.cli.checkout import CHECKOUT, locked
from goldfleet.cli.release import needs_boot_test, ship
from goldfleet.cli.stack_account import session_of, settings_of
from goldfleet.cli.terminal import Terminal
from goldfleet.errors import ReleaseError
from image.bake import Baked, bake

EXAMPLES = """\
  goldfleet deploy             what is in app/ now, on every clone of the local cloud
  goldfleet deploy -s dev      the same on AWS; the setting image.release names it from now on
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None beside the stack."""


def run(options: argparse.Namespace) -> int:
    """Runs `deploy`; ends after the last clone is replaced."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    with locked():
        settings = start_cloud(options.stack, terminal)
        session = session_of(settings)
        with terminal.step("baking the release") as step:
            baked = bake(CHECKOUT, settings.image.layers, step.note)
            step.note(f"release {baked.release[:12]}")
        if needs_boot_test(settings, baked):
            _require_passed(baked, terminal)
        with terminal.step("registering the image") as step:
            ship(settings, session, baked, step)
        settings_of(options.stack).change("image", "release", baked.release)
        terminal.line(f"image.release is {baked.release} now; `working-tree` would follow this checkout")
        bring_up(options.stack, terminal)
    show_stack(options.stack, terminal)
    return 0


def _require_passed(baked: Baked, terminal: Terminal) -> None:
    """Boots a release; the result is noted on this machine.

    Raises:
        ReleaseError: something is not true of the image; nothing is registered.
    """
    report = boot_test(baked, terminal)
    if not report.passed:
        failed = [f"{finding.name} ({finding.saw})" for finding in report.findings if not finding.passed]
        raise ReleaseError(
            f"release {baked.release[:12]}",
            f"has failed its boot test: {'; '.join(failed)}",
            "mend it; `goldfleet image test` boots it again",
        )

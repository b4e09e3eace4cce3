"""`goldfleet deploy`: bakes the app of this checkout, pins its digest, then runs the program."""

from __future__ import annotations

import argparse

from goldfleet.cli.bring_up import bring_up, show_stack, start_cloud
from goldfleet.cli.checkout import locked
from goldfleet.cli.release import bake
from goldfleet.cli.stack_account import session_of, settings_of
from goldfleet.cli.terminal import Terminal

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
        with terminal.step("baking the release") as step:
            release = bake(settings, session_of(settings), step)
        settings_of(options.stack).change("image", "release", release)
        terminal.line(f"image.release is {release} now; `working-tree` would follow this checkout")
        bring_up(options.stack, terminal)
    show_stack(options.stack, terminal)
    return 0

"""`goldfleet rollback`: pins the release before this one, then runs the program; bakes nothing."""

from __future__ import annotations

import argparse

from goldfleet.cli.bring_up import bring_up, show_stack
from goldfleet.cli.checkout import locked
from goldfleet.cli.fleet_releases import look
from goldfleet.cli.stack_account import names_of, session_of, settings_of
from goldfleet.cli.terminal import Terminal
from goldfleet.errors import ReleaseError

EXAMPLES = """\
  goldfleet rollback           the release that ran before this one, on every clone
  goldfleet rollback -s dev    the same on AWS; once more, and it goes forward again

While a rollout is under way, or was left half done, it goes back to what ran before that.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None beside the stack."""


def run(options: argparse.Namespace) -> int:
    """Runs `rollback`; ends after the last clone is replaced."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    with locked():
        file = settings_of(options.stack)
        settings = file.load()
        releases = look(session_of(settings), names_of(settings))
        if not releases.previous:
            raise ReleaseError(
                "rollback",
                f"the fleet of stack {options.stack} has run no other release that is still known",
                "`goldfleet deploy` releases what is here now",
            )
        file.change("image", "release", releases.previous)
        left = "the rollout under way" if releases.previous == releases.running else releases.running
        terminal.line(f"image.release is {releases.previous} now, in the place of {left}")
        bring_up(options.stack, terminal)
    show_stack(options.stack, terminal)
    return 0

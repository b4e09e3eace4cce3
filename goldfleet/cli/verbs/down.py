"""`goldfleet down`: ends the local cloud. Stacks on AWS are never destroyed by this command."""

from __future__ import annotations

import argparse

from goldfleet.cli import local_cloud
from goldfleet.cli.checkout import locked
from goldfleet.cli.stack_account import LOCAL
from goldfleet.cli.terminal import Terminal
from goldfleet.errors import SettingsError

EXAMPLES = """\
  goldfleet down               stop every process, remove the run folder; works on half-started runs too
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None beside the stack."""


def run(options: argparse.Namespace) -> int:
    """Runs `down`; fine when nothing runs."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    if options.stack != LOCAL:
        raise SettingsError(
            f"stack {options.stack}",
            "`down` throws data away, so it is for the stack local only",
            f"to destroy a stack on AWS, run `pulumi destroy -s {options.stack}`",
        )
    with locked():
        local_cloud.stop(terminal.line)
    terminal.line("nothing of the local cloud is left but caches")
    return 0

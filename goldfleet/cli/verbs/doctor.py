"""`goldfleet doctor`: is everything here that the stack needs?"""

from __future__ import annotations

import argparse

from rich.text import Text

from goldfleet.cli.checks.account import CREDENTIALS, account_checks
from goldfleet.cli.checks.finding import Level, run_checks
from goldfleet.cli.checks.machine import machine_checks
from goldfleet.cli.stack_account import LOCAL, names_of, settings_of
from goldfleet.cli.terminal import Terminal

EXAMPLES = """\
  goldfleet doctor             this machine, for the local cloud
  goldfleet doctor -s dev      examples, credentials, state backend, quotas, domain, release
"""

MARKS = {Level.OK: ("ok", "green"), Level.WARNING: ("warn", "yellow"), Level.FAILED: ("FAIL", "red")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None beside the stack."""


def run(options: argparse.Namespace) -> int:
    """Runs `doctor`; changes nothing. 1 when a check failed, 0 with warnings."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    file = settings_of(options.stack)
    settings = file.load()
    if options.stack == LOCAL:
        checks = machine_checks(settings)
    else:
        checks = account_checks(settings, file.raw(), names_of(settings))
    worst = Level.OK
    for name, found in run_checks(checks, gate=CREDENTIALS):
        mark, colour = MARKS[found.level]
        terminal.console.print(Text.assemble((f"{mark:<5}", colour), f"{name}: {found.detail}"))
        if found.way_out:
            terminal.console.print(Text(f"     -> {found.way_out}"))
        if found.level is Level.FAILED:
            worst = Level.FAILED
    return 1 if worst is Level.FAILED else 0

"""`goldfleet scale N`: writes `fleet.desired`, then runs the program."""

from __future__ import annotations

import argparse

from goldfleet.cli.bring_up import bring_up, show_stack
from goldfleet.cli.checkout import locked
from goldfleet.cli.stack_account import settings_of
from goldfleet.cli.terminal import Terminal
from goldfleet.errors import SettingsError

EXAMPLES = """\
  goldfleet scale 4            four clones
  goldfleet scale -s dev 3     three on AWS
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The wished count."""
    parser.add_argument("count", metavar="N", help="count of clones, between fleet.min and fleet.max")


def run(options: argparse.Namespace) -> int:
    """Runs `scale`; a count that breaks a rule changes nothing."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    count = parse_count(options.count)
    with locked():
        settings_of(options.stack).change("fleet", "desired", count)
        terminal.line(f"fleet.desired is {count} now")
        bring_up(options.stack, terminal)
    show_stack(options.stack, terminal)
    return 0


def parse_count(text: str) -> int:
    """A count of clones.

    Raises:
        SettingsError: not a whole number.
    """
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError("fleet.desired", f"'{text}' is not a whole number", "write digits, such as 4") from error

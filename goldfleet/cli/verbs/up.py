"""`goldfleet up`: the stack becomes what its settings say."""

from __future__ import annotations

import argparse

from goldfleet.cli.bring_up import bring_up, show_stack
from goldfleet.cli.checkout import locked
from goldfleet.cli.terminal import Terminal

EXAMPLES = """\
  goldfleet up                 start the local cloud, run the program, wait for the first answer
  goldfleet up -s dev          run the program on AWS, with the settings of Pulumi.dev.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None beside the stack."""


def run(options: argparse.Namespace) -> int:
    """Runs `up`; twice is harmless."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    with locked():
        bring_up(options.stack, terminal)
    show_stack(options.stack, terminal)
    return 0

"""`goldfleet status`: what runs, as AWS tells it, and what happened to it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from goldfleet.cli import local_cloud, summary
from goldfleet.cli.local_news import local_news
from goldfleet.cli.stack_account import LOCAL, names_of, session_of, settings_of
from goldfleet.cli.stack_view import observe
from goldfleet.cli.terminal import Terminal

EXAMPLES = """\
  goldfleet status                            tables
  goldfleet status --json | jq .clones        for programs
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the answer."""
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(options: argparse.Namespace) -> int:
    """Runs `status`; changes nothing."""
    settings = settings_of(options.stack).load()
    view = observe(session_of(settings), names_of(settings), settings.fleet.desired)
    if options.stack == LOCAL:
        view = view.with_news(local_news(local_cloud.FOLDER))
    if options.json:
        print(json.dumps(asdict(view), indent=2))
        return 0
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    summary.show(view, terminal)
    return 0

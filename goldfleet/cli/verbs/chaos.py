"""`goldfleet chaos`: breaks the running local fleet while people use it, and holds what they saw against promises."""

from __future__ import annotations

import argparse
import json
import signal
import time

import chaos.faults
from chaos.fleet import Fleet
from chaos.result import Result, Verdict, legend, table
from chaos.runner import run as run_faults
from goldfleet.cli import local_cloud
from goldfleet.cli.checkout import CHECKOUT, locked
from goldfleet.cli.stack_account import LOCAL
from goldfleet.cli.terminal import Terminal
from goldfleet.errors import SettingsError

WIDTH = 110
REQUESTS = 2000
REPORT = CHECKOUT / ".local" / "chaos.json"
EXAMPLES = """\
  goldfleet chaos                                 every fault, the table, exit code 1 if a promise was broken
  goldfleet chaos --only clone-killed --requests 50000
  goldfleet chaos --list                          the faults and their promises
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which faults, and how many requests."""
    parser.add_argument("--only", metavar="FAULT", action="append", default=[], help="this fault; may be repeated")
    parser.add_argument("--requests", metavar="N", type=_count, default=REQUESTS, help="at least N requests per fault")
    parser.add_argument("--rounds", metavar="N", type=_count, default=1, help="all of it N times in a row")
    parser.add_argument("--list", action="store_true", help="show the faults and do nothing")


def run(options: argparse.Namespace) -> int:
    """Runs `chaos`; 0 when every promise held, 1 when one was broken."""
    terminal = Terminal()
    faults = chaos.faults.chosen(options.only)
    if options.list:
        for fault in faults:
            terminal.console.print(f"{fault.name:<28}{fault.what}\n{'':28}{fault.promise}")
        return 0
    terminal.line(f"stack {options.stack}")
    _refuse_other_stacks(options.stack)
    local_cloud.require_running()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is broken is mended first, as at Ctrl-C
    results: list[Result] = []
    with locked():
        fleet = Fleet.find()
        try:
            for result in run_faults(faults, fleet, options.requests, options.rounds, terminal.line):
                results.append(result)
                terminal.line(_news(result))
        finally:
            _report(results)
            terminal.line("making the fleet whole again")
            fleet.make_whole()
    for text in legend(results):
        terminal.console.print(text)
    terminal.console.print(table(results), soft_wrap=False, width=WIDTH)
    terminal.line(f"all of it: {REPORT.relative_to(CHECKOUT)}")
    return 1 if any(result.verdict is Verdict.BROKEN for result in results) else 0


def _refuse_other_stacks(stack: str) -> None:
    if stack != LOCAL:
        raise SettingsError(
            f"stack {stack}",
            "`chaos` kills servers, so it is for the stack local only",
            "leave out -s; on AWS, use its Fault Injection Service",
        )


def _news(result: Result) -> str:
    return ": ".join((result.fault.name, result.verdict.value, *filter(None, ["; ".join(result.reasons)])))


def _report(results: list[Result]) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    told = {"where": "local", "time": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    REPORT.write_text(json.dumps(told | {"lines": [result.as_json() for result in results]}, indent=1, default=str))


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1")
    return int(text)

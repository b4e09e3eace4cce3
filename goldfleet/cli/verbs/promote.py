"""`goldfleet promote REPLICA`: writes the setting `database.promoted`, then runs the program."""

from __future__ import annotations

import argparse

from goldfleet.cli.bring_up import bring_up, show_stack
from goldfleet.cli.checkout import locked
from goldfleet.cli.promotion import complete_until, plan, require_lost, write
from goldfleet.cli.stack_account import names_of, session_of, settings_of
from goldfleet.cli.stack_view import moment
from goldfleet.cli.terminal import Terminal
from infra.shard_servers import server_id

EXAMPLES = """\
  goldfleet promote goldfleet-local-shard-0-replica-1             in the place of a main that RDS calls failed
  goldfleet promote -s prod ID --main-is-lost                     whatever RDS calls it
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The replica, and whether to believe RDS."""
    parser.add_argument("replica", metavar="REPLICA", help="DB instance identifier of a read replica")
    parser.add_argument("--main-is-lost", action="store_true", help="promote although RDS has not given the main up")


def run(options: argparse.Namespace) -> int:
    """Runs `promote`; the fleet writes to the promoted replica when it returns."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    with locked():
        file = settings_of(options.stack)
        settings = file.load()
        names, session = names_of(settings), session_of(settings)
        promotion = plan(options.replica, names, settings.database)
        if not options.main_is_lost:
            require_lost(session, server_id(names, promotion.shard, promotion.main))
        complete = complete_until(session, options.replica)
        terminal.line(
            f"{options.replica} has what was committed before {moment(complete)}"
            if complete
            else f"{options.replica} has what it had received; how much that is was not measured"
        )
        write(file, promotion)
        terminal.line(f"shard {promotion.shard}: {promotion.replica} is the main now, in place of {promotion.main}")
        bring_up(options.stack, terminal)
    show_stack(options.stack, terminal)
    return 0

"""`goldfleet image prune`: removes old launch template versions, images that nothing refers to, and their snapshots."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.table import Table

from goldfleet.cli.checkout import CHECKOUT, locked
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.cli.stack_account import names_of, session_of, settings_of
from goldfleet.cli.terminal import Step, Terminal
from goldfleet.errors import SettingsError
from image.registry.prune import Pruning
from image.registry.prune_plan import Entry

KEEP = 3
HOLDS_SHOWN = 21
EXAMPLES = f"""\
  goldfleet image prune -s dev --dry-run     what would go, and why the rest stays
  goldfleet image prune -s dev --keep 10     keep the newest 10 whatever refers to them (default: {KEEP})

Launch template versions of the stack go first, for each refers to an image; then images of the project that no
instance, launch template version or setting refers to; then snapshots that no image has. What the group launches, what
an instance was launched from, the rollback target (the newest version before the group's with another image) and the
newest N stay. What does not carry the project's tags is never touched. While a rollout is under way nothing goes.
Each thing is looked at again just before it goes. Instances that run are never harmed.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The stack, how much stays, and whether anything goes at all."""
    parser.add_argument("-s", "--stack", default=argparse.SUPPRESS, help="name of the stack (default: local)")
    parser.add_argument(
        "--keep", metavar="N", default=str(KEEP), help="newest versions and images that stay in any case"
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would go, remove nothing")


def run(options: argparse.Namespace) -> int:
    """Runs `image prune`."""
    terminal = Terminal()
    terminal.line(f"stack {options.stack}")
    keep = parse_keep(options.keep)
    with locked(), terminal.step("looking for what nothing refers to") as step:
        pruning = _pruning(options.stack, keep, step)
        entries = pruning.plan() if options.dry_run else pruning.run()
    terminal.console.print(table(entries, options.dry_run))
    terminal.line(summary(entries, options.dry_run))
    return 0


def parse_keep(text: str) -> int:
    """How many of the newest stay.

    Raises:
        SettingsError: not a whole number of at least 1.
    """
    if not text.isdecimal() or int(text) < 1:
        raise SettingsError("--keep", f"'{text}' is not a whole number of at least 1", f"write digits, such as {KEEP}")
    return int(text)


def pinned() -> dict[str, str]:
    """Stack -> its setting `image.release`, of every stack of this checkout.

    Raises:
        SettingsError: a file cannot be read: what it pins might be removed.
    """
    stacks = [path.name.split(".")[1] for path in sorted(CHECKOUT.glob("Pulumi.*.yaml"))]
    components = {stack: SettingsFile(CHECKOUT, stack).raw().get("image", {}) for stack in stacks}
    return {stack: str(image.get("release", "")) for stack, image in components.items()}


def table(entries: Sequence[Entry], dry_run: bool) -> Table:
    """Every thing with what becomes of it."""
    shown = Table("what", "id", "of", "stays because", box=None, pad_edge=False)
    for entry in entries:
        gone = "would be removed" if dry_run else "removed"
        shown.add_row(entry.kind, entry.id, entry.holds[:HOLDS_SHOWN], ", ".join(entry.reasons) or f"- {gone}")
    return shown


def summary(entries: Sequence[Entry], dry_run: bool) -> str:
    """The counts in one line."""
    gone = sum(entry.goes for entry in entries)
    done = "would be removed" if dry_run else "removed"
    return f"{gone} {done}, {len(entries) - gone} kept"


def _pruning(stack: str, keep: int, step: Step) -> Pruning:
    settings = settings_of(stack).load()
    session = session_of(settings)
    return Pruning(session.client("ec2"), session.client("autoscaling"), names_of(settings), keep, pinned(), step.note)

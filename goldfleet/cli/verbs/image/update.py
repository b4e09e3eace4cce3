"""`goldfleet image update`: moves `image/os.lock` to what Debian's archive has now."""

from __future__ import annotations

import argparse

from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.terminal import Terminal
from image.os_layer.lock import FILE, Change
from image.os_layer.update import update

EXAMPLES = """\
  goldfleet image update               locks the newest versions, prints what changed
  goldfleet image update --dry-run     prints what would change

Nothing else moves the lock, and no image changes before it is baked: look at `git diff image/os.lock`, then
`goldfleet image bake`. The archive is the one in this machine's apt configuration; of it, only Debian's own suite.
image/os.packages says which packages are wanted, and why.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether to write."""
    parser.add_argument("--dry-run", action="store_true", help="print what would change, write nothing")


def run(options: argparse.Namespace) -> int:
    """Runs `image update`."""
    terminal = Terminal()
    with terminal.step("asking Debian's archive") as step:
        changes = update(CHECKOUT, step.note, write=not options.dry_run)
    for change in changes:
        terminal.line(f"  {describe(change)}")
    done = "would change" if options.dry_run else "changed"
    terminal.line(f"{FILE}: {len(changes)} packages {done}" if changes else f"{FILE}: nothing new")
    return 0


def describe(change: Change) -> str:
    """One change in words."""
    if not change.before:
        return f"added    {change.name} {change.after}"
    if not change.after:
        return f"removed  {change.name} {change.before}"
    if change.before == change.after:
        return f"replaced {change.name} {change.before}: other bytes under the same version"
    return f"changed  {change.name} {change.before} -> {change.after}"

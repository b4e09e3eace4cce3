"""`goldfleet image VERB`: the golden image; one file a verb, one row here."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping

VERBS: Mapping[str, str] = {
    "bake": "make the layers of the image from the lock and this checkout",
    "prune": "remove old images that nothing refers to",
    "test": "boot the very disk that ships, and see that all is true of it that must be",
    "update": "lock the newest packages of Debian's archive for the OS layer",
}

EXAMPLES = """\
  goldfleet image bake         both layers of the image that this checkout is
  goldfleet image prune        removes old images, but for those that are needed
  goldfleet image test         boots it in a virtual machine and looks
  goldfleet image update       newer packages: what changes, and the new image/os.lock
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verbs of the group, each with its own arguments and examples."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for name, summary in VERBS.items():
        module = importlib.import_module(f"{__name__}.{name}")
        sub = verbs.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            epilog=f"examples:\n{module.EXAMPLES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run_in_group=module.run)


def run(options: argparse.Namespace) -> int:
    """Runs the verb of the group."""
    code: int = options.run_in_group(options)
    return code

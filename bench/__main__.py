"""Runs every measurement, or those that are named."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

KNOWN = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main(names: list[str]) -> int:
    """Prints one table per measurement; 2 for a name that nobody knows."""
    unknown = sorted(set(names) - set(KNOWN))
    if unknown:
        print(f"error: no measurement {', '.join(unknown)}\n  -> take of {', '.join(KNOWN)}", file=sys.stderr)
        return 2
    for name in names or KNOWN:
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What baking keeps, by digest, in the user's cache folder: layers and installed packages. All of it may be removed.

Everything is made beside and moved into place, so that two bakes at once and a killed one leave whole things only.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ABANDONED = 24 * 3600
"""Seconds after which what a killed bake left behind is removed."""
_PREFIX = ".new-"


def folder(kind: str) -> Path:
    """The folder for one kind of thing, made if need be: `$XDG_CACHE_HOME/goldfleet/<kind>`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    path = root / "goldfleet" / kind
    path.mkdir(parents=True, exist_ok=True)
    return path


def move(made: Path, target: Path) -> None:
    """Moves a file or a folder into place; if somebody was faster, theirs stays: it has the same content."""
    try:
        made.rename(target)
    except OSError:
        if not target.exists():
            raise


@contextmanager
def workspace(kind: str) -> Iterator[Path]:
    """A new folder beside what is kept of one kind; gone afterwards."""
    parent = folder(kind)
    for left in parent.glob(f"{_PREFIX}*"):
        if left.stat().st_mtime < time.time() - ABANDONED:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as path:
        yield Path(path)

"""What baking keeps, by digest, in the user's cache folder: layers and installed packages. All of it may be removed;
what was not used for a week is removed, but for the newest few.

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

DAY = 24 * 3600
ABANDONED = DAY
"""Seconds after which what a killed bake left behind is removed."""
UNUSED = 7 * DAY
"""Seconds after which what nobody used is removed, but for the newest `KEEP`; a kind of thing may have its own."""
KEEP = 5
_PREFIX = ".new-"


def folder(kind: str) -> Path:
    """The folder for one kind of thing, made if need be: `$XDG_CACHE_HOME/goldfleet/<kind>`."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    root = Path(base) if Path(base).is_absolute() else Path.home() / ".cache"
    path = root / "goldfleet" / kind
    path.mkdir(parents=True, exist_ok=True)
    return path


def used(path: Path) -> Path:
    """Notes that it was used now; returns it."""
    path.touch()
    return path


def move(made: Path, target: Path) -> None:
    """Moves a file or a folder into place; if somebody was faster, theirs stays: it has the same content."""
    try:
        made.rename(target)
    except OSError:
        if not target.exists():
            raise


@contextmanager
def workspace(kind: str, unused: float = UNUSED) -> Iterator[Path]:
    """A new folder beside what is kept of one kind; gone afterwards.

    Args:
        kind: for example `layers`.
        unused: seconds after which what nobody used is removed, but for the newest `KEEP`.
    """
    parent = folder(kind)
    _tidy(parent, unused)
    with tempfile.TemporaryDirectory(dir=parent, prefix=_PREFIX) as path:
        yield Path(path)


def _tidy(parent: Path, unused: float) -> None:
    now, ages = time.time(), {path: path.stat().st_mtime for path in parent.iterdir()}
    abandoned = [path for path in ages if path.name.startswith(_PREFIX) and ages[path] < now - ABANDONED]
    kept = sorted((path for path in ages if not path.name.startswith(_PREFIX)), key=lambda path: -ages[path])
    for path in abandoned + [path for path in kept[KEEP:] if ages[path] < now - unused]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

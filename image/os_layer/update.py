"""Moves `image/os.lock` to what the archive has now. Nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from image.os_layer import archive, lock, recipe


def update(root: Path, progress: Callable[[str], None], *, write: bool) -> tuple[lock.Change, ...]:
    """Resolves `image/os.packages` against the archive and locks the result.

    Args:
        root: the checkout.
        progress: told what happens.
        write: whether the lock is written, or only the changes told.

    Returns:
        What is added, removed and moved.

    Raises:
        ReleaseError: the archive cannot be reached, has no such package, or no set of them fits together.
        ToolMissing: there is no apt.
    """
    path = root / lock.FILE
    before = lock.read(root) if path.exists() else ()
    wanted = recipe.wanted(root)
    progress("reading the archive's lists")
    with archive.opened(recipe.SUITE) as there:
        progress(f"resolving {len(wanted)} packages and all they need")
        after = there.resolve(wanted)
    if write:
        made = path.with_name(f".{path.name}.new")
        made.write_text(lock.render(after), encoding="utf-8")
        made.replace(path)
    return lock.changes(before, after)

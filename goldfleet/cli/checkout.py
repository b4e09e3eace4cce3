"""This checkout: where it is, its run folder, its cache folder, and the lock that one command at a time holds."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from goldfleet.errors import GoldfleetError

CHECKOUT = Path(__file__).resolve().parents[2]
RUN = CHECKOUT / ".local" / "run"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/goldfleet`: what costs time to get and belongs to no run."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "goldfleet"


@contextmanager
def locked() -> Iterator[None]:
    """While inside, no other command changes this checkout's stacks.

    The lock is on the folder itself: it leaves no file, and the kernel drops it when the command dies.

    Raises:
        GoldfleetError: another command holds it.
    """
    descriptor = os.open(CHECKOUT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise GoldfleetError(
                str(CHECKOUT), "another goldfleet command works on this checkout", "wait for it, then try again"
            ) from error
        yield
    finally:
        os.close(descriptor)

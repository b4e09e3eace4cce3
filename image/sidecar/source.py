"""Where lines to ship come from: a file that the app's lines are appended to, or the machine's journal."""

from __future__ import annotations

from typing import Protocol


class Source(Protocol):
    """A bounded queue of bytes that are lines; its reader says what it has shipped."""

    def read(self) -> bytes:
        """The oldest bytes that are not shipped yet, enough for one batch."""

    def shipped(self, count: int) -> None:
        """The first `count` bytes of what `read` gave last are shipped."""

    def drop_excess(self) -> int:
        """Drops the oldest lines beyond the bound; returns how many were dropped since it was last asked."""

    def settle(self) -> None:
        """Waits for lines that were written but cannot be read yet, for at most a second."""

    def close(self) -> None:
        """Ends it."""

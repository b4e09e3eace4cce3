"""A cached value as the store holds it, and whether it may be served. Decides only.

Layout: `+` (a value) or `-` (known to be absent), Unix milliseconds until which it is fresh, the version of each part
that it is made of, a line's end, the value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from goldfleet.state.versions import Version, reached

TTL_LIMIT = 3600.0
"""Seconds that a value is fresh, at most."""
STALE = 30.0
"""Seconds after that, at most, in which it may still be served while it is renewed."""
VALUES_LIVE = TTL_LIMIT + STALE
"""Seconds after which nothing that is in the cache now is served any more."""
RENEWED_WITHIN = 1.0
"""Seconds after a write in which those who cannot have seen it may still get the value from before it."""

Reached = tuple[int, int]
"""Timeline and LSN; zeros for who has written nothing."""


class Verdict(Enum):
    """What to do with what the store has."""

    FRESH = "serve it"
    STALE = "serve it, and renew it"
    MISS = "fill it"


class Entry(NamedTuple):
    """A cached value.

    Args:
        value: None: known to be absent.
        fresh_until: Unix milliseconds.
        versions: the stamps of its parts when it was read, in their order.
    """

    value: bytes | None
    fresh_until: int
    versions: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        kind = b"-" if self.value is None else b"+"
        return b"%b%d %b\n%b" % (kind, self.fresh_until, b",".join(self.versions), self.value or b"")

    @classmethod
    def from_bytes(cls, stored: bytes) -> Entry:
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: it has another shape.
        """
        head, _, value = stored.partition(b"\n")
        fresh_until, _, versions = head[1:].partition(b" ")
        parts = tuple(versions.split(b",")) if versions else ()
        return cls(value if head[:1] == b"+" else None, int(fresh_until), parts)


def judge(entry: Entry | None, versions: Sequence[bytes | None], seen: Callable[[int], Reached], now: int) -> Verdict:
    """Whether a value may be served.

    Args:
        entry: what the store has.
        versions: of the value's parts, as the store has them now.
        seen: how far the reader's own writes have got on the shard of the part with this index.
        now: Unix milliseconds.
    """
    if entry is None or len(entry.versions) != len(versions):
        return Verdict.MISS
    verdict = Verdict.FRESH if now < entry.fresh_until else Verdict.STALE
    for index, (stored, stamp) in enumerate(zip(versions, entry.versions, strict=True)):
        if stored == stamp:
            continue
        # Somebody has written to this part, or is about to. It may be the reader: then only the new value will do.
        version, noted = Version.parse(stored), stamp.partition(b"|")[0]
        if not version.known or 0 < version.lapses <= now or seen(index) > reached(noted):
            return Verdict.MISS
        if version.text != noted:
            # Of two writes since, the first may be long ago: only the value from right before the latest will do.
            if version.before != noted or now - version.moved > RENEWED_WITHIN * 1000:
                return Verdict.MISS
            verdict = Verdict.STALE
    return verdict

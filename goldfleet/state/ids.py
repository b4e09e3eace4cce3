"""Ids that carry their logical shard: 41 bits of milliseconds, 13 bits of logical shard, 10 bits of sequence.

An id says by itself where its row lies, ids of one logical shard sort by time, and nobody has to be asked for the next
one. The layout is the one that Instagram described ("Sharding & IDs at Instagram", 2012). They fit PostgreSQL's signed
`bigint` until 2060.

>>> ids = Ids()
>>> user_id = ids.new(random_logical_shard())
>>> post_id = ids.new(logical_shard_of(user_id))
>>> logical_shard_of(post_id) == logical_shard_of(user_id)
True
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

EPOCH = 1_767_225_600_000
"""2026-01-01 00:00 UTC in Unix milliseconds: where the 41 bits start to count."""
LOGICAL_SHARDS = 8192
SEQUENCE = 1024
"""Ids of one process in one millisecond, at most."""


class Ids:
    """Makes ids; one object per process, safe to use from several threads.

    Within a process ids of the same logical shard only grow, also when the clock goes back: then time stands still
    until the clock has caught up. Two processes that make an id for the same logical shard in the same millisecond
    meet with a chance of about one in 500: the primary key refuses the second one, nothing is overwritten.

    Args:
        clock: Unix time in milliseconds.
    """

    def __init__(self, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._millisecond = 0
        self._sequence = 0

    def new(self, logical_shard: int) -> int:
        """The next id of this logical shard, 0 to 8191.

        Raises:
            ValueError: there is no such logical shard.
        """
        if not 0 <= logical_shard < LOGICAL_SHARDS:
            raise ValueError(f"logical shard {logical_shard} is not between 0 and {LOGICAL_SHARDS - 1}")
        with self._lock:
            self._advance()
            return (self._millisecond << 23) | (logical_shard << 10) | self._sequence

    def _advance(self) -> None:
        now = self._clock() - EPOCH
        self._sequence += 1
        if now <= self._millisecond and self._sequence < SEQUENCE:
            return
        self._millisecond = max(now, self._millisecond + 1)
        # A random start keeps processes apart; the upper half is left for more ids in the same millisecond.
        self._sequence = secrets.randbelow(SEQUENCE // 2)


def logical_shard_of(id: int) -> int:  # noqa: A002  the field's own word
    """The logical shard that an id carries."""
    return (id >> 10) % LOGICAL_SHARDS


def random_logical_shard() -> int:
    """Where to put a new user: every logical shard is as likely as any other."""
    return secrets.randbelow(LOGICAL_SHARDS)


def shard_of(logical_shard: int, shards: int) -> int:
    """The shard, 0 to `shards - 1`, that holds a logical shard: equal neighbouring ranges, in shard order."""
    return logical_shard * shards // LOGICAL_SHARDS

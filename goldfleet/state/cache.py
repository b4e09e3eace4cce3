"""A cache in memory that all clones share: ask it before the database, and never be wrong because of it.

>>> async def note(cache: Cache, shard: Shard, note_id: int, session: Session) -> bytes | None:
...     async def fill(needs: Needs) -> bytes | None:
...         async with shard.read(after=needs.after(shard)) as reader:
...             return await reader.fetchval("SELECT text FROM notes WHERE id = $1", note_id)
...     key = Key(f"note:{note_id}", (Part(shard, "notes", note_id),), ttl=60)
...     return (await cache.get(key, fill, session)).value

A value notes the version of each part it is made of. Versions move with each write (`Transaction.touch`), so a value
from before a write is known to be old, and a fill reads from no server that has not replayed it. One fill per key runs
at a time, over all clones: whoever has the lease reads the source, the others get the value from before if they may, or
wait. `cached` builds cached queries and cached objects on this.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

from goldfleet.state.entry import STALE, Entry, Verdict
from goldfleet.state.exceptions import DatabaseDown, ValueTooBig
from goldfleet.state.key import STRANGER, Key, Known, Needs, Part, Seen, Stranger
from goldfleet.state.position import Position
from goldfleet.state.shelf import Look, Shelf, milliseconds, now
from goldfleet.state.store import Store
from goldfleet.state.tasks import end
from goldfleet.state.versions import asked, stamp

__all__ = ["STRANGER", "Cache", "Cached", "Fill", "Key", "Needs", "Part", "Seen", "Stranger"]

REPLY = 0.1
"""Seconds to wait for the cache: longer than it ever takes, shorter than anybody notices."""
LEASE = 2.0
"""Seconds that one fill has the others wait, at most: a holder that was killed delays nobody longer."""
ABSENT = 5.0
"""Seconds, at most, that the absence of a value is kept."""
VALUE_LIMIT = 1024 * 1024
"""Bytes of a value, at most."""
JITTER = 0.1
"""Part of its lifetime by which a value expires earlier, at random, so that not all expire at once."""
RENEWALS = 100
"""Values that one process renews behind its readers' backs at a time."""
_POLLS = (0.005, 0.01, 0.02, 0.05)

log = logging.getLogger(__name__)

Fill = Callable[[Needs], Awaitable[bytes | None]]
"""Reads the value from where it really lives; None: there is none. Its errors pass through and nothing is kept."""


class Cached(NamedTuple):
    """A value (None: there is none), whether the cache had it, and how long it took in seconds."""

    value: bytes | None
    hit: bool
    seconds: float


@dataclass(frozen=True)
class _Flight:
    needs: Needs
    value: asyncio.Task[bytes | None]


class Cache:
    """Values by key. A cache that is down or slow costs speed, never an answer.

    Args:
        store: a replication group that may evict.
        prefix: of every key, to keep apart what shares a store.
        lease: seconds; see `LEASE`.
    """

    def __init__(self, store: Store, prefix: str = "cache", lease: float = LEASE) -> None:
        self._shelf = Shelf(store, prefix, lease)
        self._lease = lease
        self._flights: dict[str, _Flight] = {}
        self._renewing: set[str] = set()
        self._tasks: set[asyncio.Task[bytes | None]] = set()

    async def get(self, key: Key, fill: Fill, seen: Seen = STRANGER) -> Cached:
        """The value of a key; what the cache does not have, `fill` reads and the cache keeps.

        Args:
            key: what is asked for.
            fill: see `Fill`.
            seen: whose own writes the value must show.

        Raises:
            ValueTooBig: the value has more than `VALUE_LIMIT` bytes.
        """
        began = monotonic()
        look = await self._shelf.look(key, seen)
        if look.verdict is Verdict.MISS:
            value = await self._filled(key, fill, look)
            return Cached(value, False, monotonic() - began)
        if look.verdict is Verdict.STALE:
            self._renew(key, fill, look)
        return Cached(look.value, True, monotonic() - began)

    async def close(self) -> None:
        """Gives up the fills that are under way."""
        await end(list(self._tasks))

    def _renew(self, key: Key, fill: Fill, look: Look) -> None:
        """Behind the reader's back, unless somebody does it already."""
        if key.stored in self._renewing or len(self._renewing) >= RENEWALS:
            return
        self._renewing.add(key.stored)
        task = self._start(self._lead(key, fill, look))
        task.add_done_callback(lambda _: self._renewing.discard(key.stored))

    async def _filled(self, key: Key, fill: Fill, look: Look) -> bytes | None:
        flight = self._flights.get(key.stored)
        if flight is None or not flight.needs.cover(look.needs):
            flight = self._take_off(key, fill, look)
        # A reader who goes away must not take the value away from the others.
        return await asyncio.shield(flight.value)

    def _take_off(self, key: Key, fill: Fill, look: Look) -> _Flight:
        flight = _Flight(look.needs, self._start(self._get_somehow(key, fill, look)))
        self._flights[key.stored] = flight

        def landed(_: asyncio.Task[bytes | None]) -> None:
            if self._flights.get(key.stored) is flight:
                del self._flights[key.stored]

        flight.value.add_done_callback(landed)
        return flight

    def _start(self, work: Coroutine[None, None, bytes | None]) -> asyncio.Task[bytes | None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[bytes | None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.debug("a fill failed: %s", task.exception())  # who waits for it is told; perhaps nobody does

    async def _lead(self, key: Key, fill: Fill, look: Look) -> bytes | None:
        """Fills if the lease can be had."""
        token = _token()
        taken, look = await self._shelf.take(key, Known(look.needs), token)
        return await self._fill(key, fill, look, token) if taken else None

    async def _get_somehow(self, key: Key, fill: Fill, look: Look) -> bytes | None:
        """Fills with the lease, or waits for who has it; after `lease` seconds fills in any case."""
        until = monotonic() + self._lease
        polls = iter(_POLLS)
        # The same reader asks each time: what they have seen is among what they need.
        reader, token = Known(look.needs), _token()
        while look.answers:
            taken, look = await self._shelf.take(key, reader, token)
            if taken:
                return await self._fill(key, fill, look, token)
            if look.verdict is Verdict.FRESH:
                return look.value
            if monotonic() > until:
                break
            await asyncio.sleep(next(polls, _POLLS[-1]) * (1 - JITTER * random.random()))  # noqa: S311  spreads load
        return _checked(key, await fill(look.needs))

    async def _fill(self, key: Key, fill: Fill, look: Look, token: str) -> bytes | None:
        """Reads the source under the lease, unless somebody else has done so right before."""
        kept = False
        try:
            if look.verdict is Verdict.FRESH:
                return look.value
            began = now()
            needs, stamps = await _stamped(key, look, token)
            value = _checked(key, await fill(needs))
            if stamps is not None:
                kept = True
                await self._shelf.keep(key, *_entry(key, value, stamps, began), look.versions, token)
            return value
        finally:
            if not kept:
                await self._shelf.release(key, token)


def _entry(key: Key, value: bytes | None, stamps: Sequence[bytes], began: int) -> tuple[Entry, float]:
    """What is kept of a value that was read from this millisecond on, and for how many seconds."""
    fresh = key.ttl * (1 - JITTER * random.random())  # noqa: S311  spreads load
    fresh, stale = (min(fresh, ABSENT), 0.0) if value is None else (fresh, min(STALE, fresh))
    return Entry(value, began + milliseconds(fresh), tuple(stamps)), fresh + stale


async def _stamped(key: Key, look: Look, token: str) -> tuple[Needs, Sequence[bytes] | None]:
    """What a fill must see, and the stamps that its parts will have; None: it must not be kept.

    For parts that nobody knows (never written to, evicted, flushed) the main is asked where it is now.
    """
    if any(version.lapses for version in look.versions):
        return look.needs, None
    parts = list(zip(key.parts, look.versions, strict=True))
    mains: dict[int, Position] = {}
    for part, version in parts:
        if not version.known and part.shard.index not in mains:
            try:
                mains[part.shard.index] = await part.shard.position()
            except DatabaseDown:
                return look.needs, None
    stamps = [v.stamp if v.known else stamp(asked(mains[part.shard.index], token)) for part, v in parts]
    return look.needs.and_also(mains.values()), stamps


def _checked(key: Key, value: bytes | None) -> bytes | None:
    if value is not None and len(value) > VALUE_LIMIT:
        raise ValueTooBig(key.name, f"{len(value)} bytes, at most {VALUE_LIMIT}", "cache smaller parts")
    return value


def _token() -> str:
    return secrets.token_urlsafe(9)

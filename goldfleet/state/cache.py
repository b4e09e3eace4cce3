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
import hashlib
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from goldfleet.state.entry import STALE, TTL_LIMIT, Entry, Reached, Verdict, judge
from goldfleet.state.exceptions import DatabaseDown, StoreDown, ValueTooBig
from goldfleet.state.position import Position
from goldfleet.state.store import Script, Store
from goldfleet.state.tasks import end
from goldfleet.state.versions import KEPT, RowId, Version, key_of, text_of

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

# The lease guards the fill, the versions guard the value: what was read before a write never comes in.
_KEEP = Script(
    """
local token, value, milliseconds, kept = unpack(ARGV)
if redis.call('GET', KEYS[1]) ~= token then return 0 end
redis.call('DEL', KEYS[1])
for i = 3, #KEYS do
  local known = redis.call('GET', KEYS[i])
  if known and known ~= '|' then
    if known ~= ARGV[i + 2] .. '|' then return 0 end
  else
    redis.call('SET', KEYS[i], ARGV[i + 2] .. '|', 'PX', kept)
  end
end
redis.call('SET', KEYS[2], value, 'PX', milliseconds)
return 1
"""
)
_RELEASE = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0")


class _Shard(Protocol):
    @property
    def index(self) -> int: ...

    async def position(self) -> Position:
        """Where the main's log is now. Raises DatabaseDown."""
        ...


class _HasIndex(Protocol):
    @property
    def index(self) -> int: ...


class Seen(Protocol):
    """What a reader's own writes have reached; a `Session` is one."""

    @property
    def distrusts_cache(self) -> bool:
        """True while the cache may not have heard of one of the reader's own writes."""
        ...

    def position(self, shard: _HasIndex) -> Position | None:
        """The reader's latest write on this shard."""
        ...


class Stranger:
    """A reader who has written nothing."""

    distrusts_cache = False

    def position(self, shard: _HasIndex) -> Position | None:  # noqa: ARG002  as `Seen` has it
        return None


STRANGER = Stranger()


@dataclass(frozen=True)
class Part:
    """Something that a value is made of: what a table of a shard says of one id, or, without an id, the whole table."""

    shard: _Shard
    table: str
    id: RowId | None = None

    @property
    def key(self) -> str:
        return key_of(self.shard.index, self.table, self.id)


@dataclass(frozen=True)
class Key:
    """What is asked for.

    Args:
        name: any text that tells it from everything else; the store sees its digest.
        parts: what the value is made of. None: it is just as old as its lifetime allows.
        ttl: seconds that the value is fresh, at most `TTL_LIMIT`.
    """

    name: str
    parts: tuple[Part, ...] = ()
    ttl: float = 60.0
    stored: str = field(init=False)

    def __post_init__(self) -> None:
        if not 0 < self.ttl <= TTL_LIMIT:
            raise ValueError(f"{self.name}: a lifetime of {self.ttl} s is not between 0 and {TTL_LIMIT:.0f} s")
        digest = hashlib.blake2b(self.name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        object.__setattr__(self, "stored", digest)


class Needs:
    """Which writes a fill must see."""

    def __init__(self, positions: Mapping[int, Position]) -> None:
        self._positions = positions

    def after(self, shard: _HasIndex) -> Position | None:
        """To be passed to `Shard.read`."""
        return self._positions.get(shard.index)

    def cover(self, others: Needs) -> bool:
        """True if what sees these writes sees the others' too."""
        mine, theirs = self._positions, others._positions
        return all(shard in mine and mine[shard].reached >= theirs[shard].reached for shard in theirs)


Fill = Callable[[Needs], Awaitable[bytes | None]]
"""Reads the value from where it really lives; None: there is none. Its errors pass through and nothing is kept."""


@dataclass(frozen=True)
class Cached:
    """A value (None: there is none), whether the cache had it, and how long it took in seconds."""

    value: bytes | None
    hit: bool
    seconds: float


@dataclass(frozen=True)
class _Look:
    """What the store says of a key."""

    verdict: Verdict
    value: bytes | None
    versions: Sequence[Version]
    needs: Needs
    answers: bool = True


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
        self._store = store
        self._prefix = prefix
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
        look = await self._look(key, seen)
        if look.verdict is Verdict.FRESH:
            return Cached(look.value, True, monotonic() - began)
        if look.verdict is Verdict.STALE:
            self._renew(key, fill, look)
            return Cached(look.value, True, monotonic() - began)
        value = await self._filled(key, fill, look)
        return Cached(value, False, monotonic() - began)

    async def close(self) -> None:
        """Gives up the fills that are under way."""
        await end(list(self._tasks))

    async def _look(self, key: Key, seen: Seen) -> _Look:
        own = [seen.position(part.shard) for part in key.parts]
        positions = {position.shard: position for position in own if position is not None}
        if seen.distrusts_cache:
            return _Look(Verdict.MISS, None, (), Needs(positions), answers=False)
        try:
            stored, *told = await self._store.command("MGET", self._value(key), *(part.key for part in key.parts))
        except StoreDown:
            return _Look(Verdict.MISS, None, (), Needs(positions), answers=False)
        versions = [Version.parse(version) for version in told]
        entry = Entry.from_bytes(stored) if stored else None
        reached: list[Reached] = [position.reached if position else (0, 0) for position in own]
        verdict = judge(entry, versions, reached, _now())
        for part, version in zip(key.parts, versions, strict=True):
            if version.text:
                _require(positions, Position(part.shard.index, *version.reached))
        return _Look(verdict, entry.value if entry else None, versions, Needs(positions))

    def _renew(self, key: Key, fill: Fill, look: _Look) -> None:
        """Behind the reader's back, unless somebody does it already."""
        if key.stored in self._renewing or len(self._renewing) >= RENEWALS:
            return
        self._renewing.add(key.stored)
        task = self._start(self._lead(key, fill, look))
        task.add_done_callback(lambda _: self._renewing.discard(key.stored))

    async def _filled(self, key: Key, fill: Fill, look: _Look) -> bytes | None:
        flight = self._flights.get(key.stored)
        if flight is None or not flight.needs.cover(look.needs):
            flight = self._take_off(key, fill, look)
        # A reader who goes away must not take the value away from the others.
        return await asyncio.shield(flight.value)

    def _take_off(self, key: Key, fill: Fill, look: _Look) -> _Flight:
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

    async def _lead(self, key: Key, fill: Fill, look: _Look) -> bytes | None:
        """Fills if the lease can be had."""
        token = await self._take(key)
        return await self._fill(key, fill, look, token) if token else None

    async def _get_somehow(self, key: Key, fill: Fill, look: _Look) -> bytes | None:
        """Fills with the lease, or waits for who has it; after `lease` seconds fills in any case."""
        until = monotonic() + self._lease
        polls = iter(_POLLS)
        while look.answers:
            if token := await self._take(key):
                return await self._fill(key, fill, look, token)
            if monotonic() > until:
                break
            await asyncio.sleep(next(polls, _POLLS[-1]) * (1 - JITTER * random.random()))  # noqa: S311  spreads load
            look = await self._look_again(key, look)
            if look.verdict is Verdict.FRESH:
                return look.value
        return _checked(key, await fill(look.needs))

    async def _look_again(self, key: Key, before: _Look) -> _Look:
        """As `_look`, for the same reader: what they have seen is among what they need."""
        return await self._look(key, _Reader(before.needs))

    async def _take(self, key: Key) -> str | None:
        token = secrets.token_urlsafe(9)
        try:
            taken = await self._store.command("SET", self._lease_of(key), token, "NX", "PX", _milliseconds(self._lease))
        except StoreDown:
            return None
        return token if taken else None

    async def _fill(self, key: Key, fill: Fill, look: _Look, token: str) -> bytes | None:
        try:
            # Between the look and the lease somebody else may have had it.
            look = await self._look_again(key, look)
            if look.verdict is Verdict.FRESH:
                await self._quietly(_RELEASE, [self._lease_of(key)], token)
                return look.value
            needs, versions = await _known(key, look)
            value = _checked(key, await fill(needs))
        except BaseException:
            await self._quietly(_RELEASE, [self._lease_of(key)], token)
            raise
        if versions is None:
            await self._quietly(_RELEASE, [self._lease_of(key)], token)
        else:
            await self._keep(key, value, versions, token)
        return value

    async def _keep(self, key: Key, value: bytes | None, versions: Sequence[bytes], token: str) -> None:
        fresh = key.ttl * (1 - JITTER * random.random())  # noqa: S311  spreads load
        if value is None:
            fresh = min(fresh, ABSENT)
        entry = Entry(value, _now() + _milliseconds(fresh), tuple(versions))
        keys = [self._lease_of(key), self._value(key), *(part.key for part in key.parts)]
        lives = _milliseconds(fresh + (0 if value is None else min(STALE, fresh)))
        await self._quietly(_KEEP, keys, token, entry.to_bytes(), lives, _milliseconds(KEPT), *versions)

    async def _quietly(self, script: Script, keys: Sequence[str], *arguments: bytes | str | int) -> None:
        try:
            await self._store.script(script, keys, *arguments)
        except StoreDown:
            return

    def _value(self, key: Key) -> str:
        return f"{self._prefix}:{key.stored}"

    def _lease_of(self, key: Key) -> str:
        return f"{self._prefix}:{key.stored}:lease"


class _Reader:
    """A reader of whom is known what they need."""

    distrusts_cache = False

    def __init__(self, needs: Needs) -> None:
        self._needs = needs

    def position(self, shard: _HasIndex) -> Position | None:
        return self._needs.after(shard)


async def _known(key: Key, look: _Look) -> tuple[Needs, Sequence[bytes] | None]:
    """What a fill must see, and the versions that it will have; None: it must not be kept.

    Of a part whose version is unknown (never written to, evicted, flushed) the main is asked where it is now.
    """
    if not look.answers or any(version.announced for version in look.versions):
        return look.needs, None
    positions: dict[int, Position] = {}
    versions: list[bytes] = []
    now = _now()
    for part, version in zip(key.parts, look.versions, strict=True):
        known = look.needs.after(part.shard)
        if known is not None:
            _require(positions, known)
        if version.text:
            versions.append(version.text)
            continue
        try:
            position = await part.shard.position()
        except DatabaseDown:
            return look.needs, None
        _require(positions, position)
        versions.append(text_of(position, now))
    return Needs(positions), versions


def _require(positions: dict[int, Position], position: Position) -> None:
    known = positions.get(position.shard)
    if known is None or known.reached < position.reached:
        positions[position.shard] = position


def _checked(key: Key, value: bytes | None) -> bytes | None:
    if value is not None and len(value) > VALUE_LIMIT:
        raise ValueTooBig(key.name, f"{len(value)} bytes, at most {VALUE_LIMIT}", "cache smaller parts")
    return value


def _now() -> int:
    return time.time_ns() // 1_000_000


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)

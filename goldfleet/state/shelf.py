"""What the cache's store has of a key: the value, the versions of its parts, and the lease of who fills it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from goldfleet.state.entry import Entry, Reached, Verdict, judge
from goldfleet.state.exceptions import StoreDown
from goldfleet.state.key import Key, Needs, Seen
from goldfleet.state.link import Reply
from goldfleet.state.position import Position
from goldfleet.state.store import Argument, Script, Store
from goldfleet.state.versions import COMMITTING, COMMON, KEPT, Version

# A part that nobody knows is marked before the main is asked about it. If the mark is gone when the value comes, so
# that somebody has written meanwhile, or the store has lost it, the value is not kept.
_TAKE = Script(
    COMMON
    + """
local token, lease, marked = unpack(ARGV)
local taken = redis.call('SET', KEYS[1], token, 'NX', 'PX', lease)
local told = {taken and 1 or 0, redis.call('GET', KEYS[2])}
for i = 3, #KEYS do
  local text, before, left = known(KEYS[i], '')
  if taken and text == '' and #left == 0 then
    text, before = '!' .. token, ''
    put(KEYS[i], text, before, left, marked)
  end
  told[i] = text .. '|' .. before .. '|' .. table.concat(left, ',')
end
return told
"""
)

# The lease spares the source, the versions guard the value: what was read before a write never comes in.
_KEEP = Script(
    """
local token, value, milliseconds, kept = unpack(ARGV)
if redis.call('GET', KEYS[1]) == token then redis.call('DEL', KEYS[1]) end
for i = 3, #KEYS do
  if redis.call('GET', KEYS[i]) ~= ARGV[2 * i - 1] then return 0 end
end
for i = 3, #KEYS do
  if ARGV[2 * i - 1] ~= ARGV[2 * i] then redis.call('SET', KEYS[i], ARGV[2 * i], 'PX', kept) end
end
redis.call('SET', KEYS[2], value, 'PX', milliseconds)
return 1
"""
)
_RELEASE = Script("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0")


class Look(NamedTuple):
    """What the store says of a key.

    Args:
        verdict: whether the value may be served.
        value: None: known to be absent, or there is none.
        versions: of the key's parts, in their order.
        needs: what a fill must see.
        answers: False if the store does not, or is not to be asked.
    """

    verdict: Verdict
    value: bytes | None
    versions: Sequence[Version]
    needs: Needs
    answers: bool = True


_NO_NEEDS = Needs()


class Shelf:
    """Keys in one store.

    Args:
        store: a replication group that may evict.
        prefix: of every key but the versions', to keep apart what shares a store.
        lease: seconds that a lease lasts.
    """

    def __init__(self, store: Store, prefix: str, lease: float) -> None:
        self._store = store
        self._prefix = prefix
        self._lease = lease

    async def look(self, key: Key, seen: Seen) -> Look:
        """What the store has for this reader."""
        if seen.distrusts_cache:
            return _nothing(key, seen)
        try:
            stored, *versions = await self._store.command("MGET", self.value_of(key), *key.versions)
        except StoreDown:
            return _nothing(key, seen)
        return _look(key, seen, stored, versions)

    async def take(self, key: Key, seen: Seen, token: str) -> tuple[bool, Look]:
        """Takes the lease of a key, if nobody has it, and looks again; whether it was had, and what there is."""
        keys = [self.lease_of(key), self.value_of(key), *key.versions]
        told = await self._run(_TAKE, keys, token, milliseconds(self._lease), milliseconds(COMMITTING))
        if told is None:
            return False, _nothing(key, seen)
        taken, stored, *versions = told
        return bool(taken), _look(key, seen, stored, versions)

    async def keep(self, key: Key, entry: Entry, seconds: float, versions: Sequence[Version], token: str) -> None:
        """Ends the lease, and keeps a value unless one of its parts is not what it was when the lease was taken.

        Args:
            key: whose.
            entry: the value, with the stamps that its parts get.
            seconds: how long to keep it.
            versions: of its parts when the lease was taken.
            token: of the lease.
        """
        keys = [self.lease_of(key), self.value_of(key), *key.versions]
        stamps = [
            each for before, after in zip(versions, entry.versions, strict=True) for each in (before.stamp, after)
        ]
        await self._run(_KEEP, keys, token, entry.to_bytes(), milliseconds(seconds), milliseconds(KEPT), *stamps)

    async def release(self, key: Key, token: str) -> None:
        """Ends the lease, and keeps nothing."""
        await self._run(_RELEASE, [self.lease_of(key)], token)

    def value_of(self, key: Key) -> str:
        """The store's key of the value."""
        return f"{self._prefix}:{key.stored}"

    def lease_of(self, key: Key) -> str:
        """The store's key of the lease."""
        return f"{self._prefix}:{key.stored}:lease"

    async def _run(self, script: Script, keys: Sequence[str], *arguments: Argument) -> Reply | None:
        try:
            return await self._store.script(script, keys, *arguments)
        except StoreDown:
            return None


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _nothing(key: Key, seen: Seen) -> Look:
    return Look(Verdict.MISS, None, (), Needs(_own(key, seen)), answers=False)


def _look(key: Key, seen: Seen, stored: bytes | None, versions: Sequence[bytes | None]) -> Look:
    def reached(index: int) -> Reached:
        position = seen.position(key.parts[index].shard)
        return position.reached if position else (0, 0)

    entry = _read(stored)
    verdict = judge(entry, versions, reached, now())
    value = entry.value if entry else None
    if verdict is Verdict.FRESH:
        return Look(verdict, value, (), _NO_NEEDS)
    parsed = [Version.parse(version) for version in versions]
    known = [Position(p.shard.index, *v.reached) for p, v in zip(key.parts, parsed, strict=True) if v.known]
    return Look(verdict, value, parsed, Needs((*_own(key, seen), *known)))


def _read(stored: bytes | None) -> Entry | None:
    with suppress(ValueError):  # what nobody can read is not there
        return Entry.from_bytes(stored) if stored else None
    return None


def _own(key: Key, seen: Seen) -> list[Position]:
    """What the reader has written on the shards of a key's parts."""
    own = [seen.position(part.shard) for part in key.parts]
    return [position for position in own if position is not None]

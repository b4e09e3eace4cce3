"""What was written when: a version for every table and row that cached values are made of.

A version is a place in the main's log. A writer announces itself just before its commit and moves the versions right
after it. So a cached value is known to be old without anybody looking for it, a fill knows how far a replica must have
got, and a writer that dies between the two steps leaves no old value behind: its announcement runs out, and with it the
version.

In the store: `POSITION@MILLISECONDS|TOKEN@EXPIRY,...`: the version, when it moved, and the writers that have announced
themselves. No position: nobody knows, ask the main.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from goldfleet.contract.deadlines import STATEMENT
from goldfleet.state.exceptions import StoreDown
from goldfleet.state.position import Position
from goldfleet.state.store import Script, Store
from goldfleet.state.tasks import end

COMMITTING = 2 * STATEMENT
"""Seconds that an announcement lasts: longer than any commit."""
KEPT = 24 * 3600
"""Seconds that a version is kept; longer than any cached value, which is worth nothing without it."""
OWED = 10_000
"""Versions, at most, that wait to be moved because the cache did not answer."""
RETRY = 0.5
"""Seconds between two tries to move them."""

RowId = int | str
"""What tells a row, or the rows of one owner, from the others of its table."""

_COMMON = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function split(known)
  local bar = string.find(known or '|', '|', 1, true)
  return string.sub(known or '|', 1, bar - 1), string.sub(known or '|', bar + 1)
end
-- The writers but for one. One that ran out has written, or not: nobody knows the version any more.
local function others(version, writers, token)
  local left = {}
  for writer, expiry in string.gmatch(writers, '([^,@]+)@(%d+)') do
    if tonumber(expiry) <= now then version = '' elseif writer ~= token then
      table.insert(left, writer .. '@' .. expiry)
    end
  end
  return version, left
end
local function put(key, version, left, kept, committing)
  redis.call('SET', key, version .. '|' .. table.concat(left, ','), 'PX', #left > 0 and committing or kept)
end
"""

_ANNOUNCE = Script(
    _COMMON
    + """
local token, committing = unpack(ARGV)
for _, key in ipairs(KEYS) do
  local known, writers = split(redis.call('GET', key))
  local version, left = others(known, writers, '')
  table.insert(left, token .. '@' .. string.format('%d', now + committing))
  put(key, version, left, committing, committing)
end
return 1
"""
)

# A version only grows, whichever writer comes last. No position: the transaction was undone.
_MOVE = Script(
    _COMMON
    + """
local token, position, kept, committing = unpack(ARGV)
for _, key in ipairs(KEYS) do
  local known, writers = split(redis.call('GET', key))
  local version, left = others(known, writers, token)
  if position ~= '' and string.sub(version, 1, #position) < position then
    version = position .. '@' .. string.format('%d', now)
  end
  put(key, version, left, kept, committing)
end
return 1
"""
)


@dataclass(frozen=True)
class Version:
    """A version as the store holds it.

    Args:
        text: position and time; a cached value notes it. Empty: unknown.
        announced: a writer is about to move it.
    """

    text: bytes
    announced: bool

    @classmethod
    def parse(cls, stored: bytes | None) -> Version:
        text, _, writers = (stored or b"|").partition(b"|")
        return cls(text, bool(writers))

    @property
    def reached(self) -> tuple[int, int]:
        """Timeline and LSN; zeros if unknown."""
        return reached(self.text)

    @property
    def moved(self) -> int:
        """Unix milliseconds, 0 if unknown."""
        return int(self.text.partition(b"@")[2] or 0)


def reached(text: bytes) -> tuple[int, int]:
    """Timeline and LSN of a version's text; zeros if it is empty."""
    position, _, _ = text.partition(b"@")
    timeline, _, lsn = position.partition(b":")
    return (int(timeline, 16), int(lsn, 16)) if lsn else (0, 0)


def text_of(position: Position, milliseconds: int) -> bytes:
    """What a version at this position says, moved at that Unix time."""
    return f"{_place(position)}@{milliseconds}".encode()


def key_of(shard: int, table: str, id: RowId | None) -> str:  # noqa: A002  the field's own word
    """The store's key of a row's version; of a whole table's, if no id is given."""
    return f"version:{shard}:{table}" if id is None else f"version:{shard}:{table}:{id}"


def _place(position: Position) -> str:
    return position.to_text().partition(":")[2]


class Announcement:
    """A writer between its announcement and its outcome."""

    def __init__(self, versions: Versions, keys: Sequence[str]) -> None:
        self._versions = versions
        self._keys = keys
        self._token = secrets.token_urlsafe(9)

    async def make(self) -> None:
        """To be awaited right before the commit; a cache that does not answer holds nothing up."""
        await self._versions.run(_ANNOUNCE, self._keys, self._token, _milliseconds(COMMITTING))

    async def committed(self, position: Position) -> bool:
        """Moves the versions.

        Returns:
            False if the cache did not take it now: what it still holds may be old until it does.
        """
        done = await self._versions.move(self._keys, self._token, _place(position))
        if not done:
            self._versions.owe(self._keys, _place(position))
        return done

    async def undone(self) -> None:
        """Nothing was written: takes the announcement back."""
        await self._versions.move(self._keys, self._token, "")


class Versions:
    """The versions in one store.

    Args:
        store: the cache's.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owed: dict[str, str] = {}
        self._paying: asyncio.Task[None] | None = None

    def announcement(self, keys: Sequence[str]) -> Announcement:
        """For a transaction that has written to what these keys stand for."""
        return Announcement(self, keys)

    async def run(self, script: Script, keys: Sequence[str], *arguments: str | int) -> bool:
        """Runs a script; False if the store does not answer."""
        try:
            await self._store.script(script, keys, *arguments)
        except StoreDown:
            return False
        return True

    async def move(self, keys: Sequence[str], token: str, place: str) -> bool:
        """Moves versions, and ends their writer's announcement; False if the store does not answer."""
        return await self.run(_MOVE, keys, token, place, _milliseconds(KEPT), _milliseconds(COMMITTING))

    def owe(self, keys: Sequence[str], place: str) -> None:
        """Moves the versions as soon as the store answers again, for as long as this process lives."""
        for key in keys:
            if len(self._owed) < OWED:
                self._owed[key] = max(place, self._owed.get(key, ""))
        if self._paying is None or self._paying.done():
            self._paying = asyncio.get_running_loop().create_task(self._pay())

    async def close(self) -> None:
        if self._paying is not None:
            await end([self._paying])

    async def _pay(self) -> None:
        while self._owed:
            await asyncio.sleep(RETRY)
            for key, place in list(self._owed.items()):
                if not await self.move([key], "", place):
                    break
                if self._owed.get(key) == place:
                    del self._owed[key]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)

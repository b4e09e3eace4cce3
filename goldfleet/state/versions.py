"""What was written when: a version for every table and row that cached values are made of.

A version is a place in the main's log. A writer announces itself just before its commit and moves the versions right
after it. So a cached value is known to be old without anybody looking for it, a fill knows how far a replica must have
got, and a writer that dies between the two steps leaves no old value behind: its announcement runs out, and with it the
version.

In the store: `TEXT|BEFORE|WRITERS`.

    TEXT      `POSITION@MILLISECONDS`: where the latest write is in the log, and when it was told here
              `POSITION@0.NONCE`: nobody knew; a fill asked the main, and put down what it said
              `!NONCE`: nobody knows, and a fill is asking; empty: nobody knows
    BEFORE    the text before that
    WRITERS   who has announced themselves and not come back: `TOKEN@EXPIRY,...`
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
"""Seconds that an announcement lasts: a transaction that idles for `STATEMENT` is ended, and so is one that commits."""
KEPT = 24 * 3600
"""Seconds that a version is kept; longer than any cached value, which is worth nothing without it."""
OWED = 10_000
"""Versions, at most, that wait to be moved because the cache did not answer."""
RETRY = 0.5
"""Seconds between two tries to move them."""

RowId = int | str
"""What tells a row, or the rows of one owner, from the others of its table."""

UNKNOWN = b"||"

COMMON = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A version without one of its writers. One that ran out has written, or not: then nobody knows the version any more.
local function known(key, token)
  local text, before, writers = string.match(redis.call('GET', key) or '', '^([^|]*)|([^|]*)|(.*)$')
  local left, found = {}, false
  for writer, expiry in string.gmatch(writers or '', '([^,@]+)@(%d+)') do
    if tonumber(expiry) <= now then text = ''
    elseif writer == token then found = true
    else table.insert(left, writer .. '@' .. expiry) end
  end
  return text or '', before or '', left, found
end
local function put(key, text, before, left, milliseconds)
  if text == '' and #left == 0 then return redis.call('DEL', key) end
  redis.call('SET', key, text .. '|' .. before .. '|' .. table.concat(left, ','), 'PX', milliseconds)
end
"""

_ANNOUNCE = Script(
    COMMON
    + """
local token, committing = unpack(ARGV)
for _, key in ipairs(KEYS) do
  local text, before, left = known(key, '')
  table.insert(left, token .. '@' .. string.format('%d', now + committing))
  put(key, text, before, left, committing)
end
return 1
"""
)

# A version only grows, whichever writer comes last. If it is further already, whoever filled meanwhile has seen this
# write, or was kept out by its announcement; without one (lost, evicted) nobody can tell. What nobody knows stays so
# until a fill asks the main: a later write may be what was forgotten. No position: the transaction was undone.
_MOVE = Script(
    COMMON
    + """
local token, position, kept, committing = unpack(ARGV)
for _, key in ipairs(KEYS) do
  local text, before, left, announced = known(key, token)
  if position ~= '' then
    local place = string.match(text, '^(%x+:%x+)@')
    if place and place < position then
      text, before = position .. '@' .. string.format('%d', now), text
    elseif not (place and announced) then
      text, before = '', ''
    end
  end
  put(key, text, before, left, #left > 0 and committing or kept)
end
return 1
"""
)


@dataclass(frozen=True)
class Version:
    """A version as the store holds it.

    Args:
        text: see above; a cached value notes it.
        before: the text that it had before.
        lapses: Unix milliseconds when the first of those who are about to move it runs out; 0: nobody is.
    """

    text: bytes
    before: bytes
    lapses: int

    @classmethod
    def parse(cls, stored: bytes | None) -> Version:
        text, _, rest = (stored or UNKNOWN).partition(b"|")
        before, _, writers = rest.partition(b"|")
        return cls(text, before, min((int(each.partition(b"@")[2]) for each in writers.split(b",") if each), default=0))

    @property
    def known(self) -> bool:
        return self.text[:1] not in (b"", b"!")

    @property
    def reached(self) -> tuple[int, int]:
        """Timeline and LSN; zeros if unknown."""
        return reached(self.text)

    @property
    def moved(self) -> int:
        """Unix milliseconds of the latest write; 0: long ago, or nobody knows."""
        return int(self.text.partition(b"@")[2].partition(b".")[0] or 0)

    @property
    def stamp(self) -> bytes:
        """What the store holds once nobody is about to move it."""
        return stamp(self.text, self.before)


def stamp(text: bytes, before: bytes = b"") -> bytes:
    """A version that nobody is about to move."""
    return b"%b|%b|" % (text, before)


def reached(text: bytes) -> tuple[int, int]:
    """Timeline and LSN of a version's text; zeros if it has none."""
    position, _, _ = text.partition(b"@")
    timeline, _, lsn = position.partition(b":")
    return (int(timeline, 16), int(lsn, 16)) if lsn else (0, 0)


def asked(position: Position, nonce: str) -> bytes:
    """The text for what nobody knew, from where the main says it is; no two are alike."""
    return f"{_place(position)}@0.{nonce}".encode()


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
            if key in self._owed or len(self._owed) < OWED:
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

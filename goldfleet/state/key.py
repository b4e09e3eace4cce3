"""What is asked of the cache: a key, the parts that its value is made of, and what its reader must see."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from goldfleet.state.entry import TTL_LIMIT
from goldfleet.state.position import Position
from goldfleet.state.versions import RowId, key_of


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


class Part(NamedTuple):
    """Something that a value is made of: what a table of a shard says of one id, or, without an id, the whole table."""

    shard: _Shard
    table: str
    id: RowId | None = None

    @property
    def key(self) -> str:
        return key_of(self.shard.index, self.table, self.id)


class Key:
    """What is asked for.

    Args:
        name: any text that tells it from everything else; the store sees its digest.
        parts: what the value is made of. None: it is just as old as its lifetime allows.
        ttl: seconds that the value is fresh, at most `TTL_LIMIT`.
    """

    __slots__ = ("name", "parts", "stored", "ttl", "versions")

    def __init__(self, name: str, parts: tuple[Part, ...] = (), ttl: float = 60.0) -> None:
        if not 0 < ttl <= TTL_LIMIT:
            raise ValueError(f"{name}: a lifetime of {ttl} s is not between 0 and {TTL_LIMIT:.0f} s")
        self.name = name
        self.parts = parts
        self.ttl = ttl
        self.stored = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        self.versions = [part.key for part in parts]


class Needs:
    """Which writes a fill must see."""

    def __init__(self, positions: Iterable[Position] = ()) -> None:
        self._positions: dict[int, Position] = {}
        for position in positions:
            known = self._positions.get(position.shard)
            if known is None or known.reached < position.reached:
                self._positions[position.shard] = position

    def after(self, shard: _HasIndex) -> Position | None:
        """To be passed to `Shard.read`."""
        return self._positions.get(shard.index)

    def and_also(self, positions: Iterable[Position]) -> Needs:
        """These writes and those up to some more positions."""
        return Needs((*self._positions.values(), *positions))

    def cover(self, others: Needs) -> bool:
        """True if what sees these writes sees the others' too."""
        mine, theirs = self._positions, others._positions
        return all(shard in mine and mine[shard].reached >= theirs[shard].reached for shard in theirs)


class Known:
    """A reader of whom is known what they need."""

    distrusts_cache = False

    def __init__(self, needs: Needs) -> None:
        self.position = needs.after

"""Cached queries and cached objects: declared once, asked for like a function, right after every write.

A query is cached by its statement, its arguments and the versions of the tables it reads: any write to one of the
tables renews it. An object is assembled from several sources and cached by the versions of the rows it is made of: only
a write to one of these rows renews it. docs/cached-objects.md explains when to use which.

>>> class Note(msgspec.Struct):
...     id: int
...     text: str
>>> LATEST = CachedQuery("SELECT id, text FROM notes ORDER BY id DESC LIMIT 20", Note, tables=("notes",))
>>> latest = (await LATEST.fetch(state, state.database.shards[0])).value

>>> async def assemble(read: Read, note_id: int) -> Note | None:
...     async with read(note_id) as reader:
...         row = await reader.fetchrow("SELECT id, text FROM notes WHERE id = $1", note_id)
...     return Note(**row) if row else None
>>> NOTES = CachedObject("note", Note, assemble, made_of=("notes",))
>>> note = (await NOTES.get(state, note_id, seen=session)).value
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from goldfleet.state.cache import Cache
from goldfleet.state.database import Database, Reader, Shard
from goldfleet.state.key import STRANGER, Key, Needs, Part, Seen

T = TypeVar("T")

TTL = 60.0
"""Seconds that a value is fresh unless told otherwise."""

Read = Callable[[int], AbstractAsyncContextManager[Reader]]
"""`async with read(id) as reader`: reads where that id's rows lie, from a server that has what the value must show."""

MadeOf = Callable[[int], Iterable[tuple[str, int]]]
"""Tables and ids that an object is made of, from the object's own id."""


@dataclass(frozen=True)
class Found(Generic[T]):
    """What was asked for.

    Args:
        value: None: there is no such object.
        hit: True if the cache had it.
        seconds: how long it took.
        servers: of the database, that were read.
    """

    value: T
    hit: bool
    seconds: float
    servers: tuple[str, ...] = ()


class HasStores(Protocol):
    """What has a database and a cache: a `State`."""

    @property
    def database(self) -> Database: ...

    @property
    def cache(self) -> Cache: ...


class CachedQuery(Generic[T]):
    """A statement whose rows are cached until somebody writes to one of its tables.

    Args:
        sql: a SELECT; `$1`, `$2` stand for the arguments.
        row: a msgspec Struct (or dataclass) with a field for each column.
        tables: every table that the statement reads; writers name them to `Transaction.touch`.
        ttl: seconds.
    """

    def __init__(self, sql: str, row: type[T], *, tables: Sequence[str], ttl: float = TTL) -> None:
        if not tables:
            raise ValueError(f"{sql}: name the tables that it reads")
        self._sql = sql
        self._tables = tuple(tables)
        self._ttl = ttl
        self._codec = _Codec(list[row])  # type: ignore[valid-type]  # a type made when it is known
        self._name = f"query:{self._codec.shape}:{sql}"

    async def fetch(self, state: HasStores, shard: Shard, *arguments: Any, seen: Seen = STRANGER) -> Found[list[T]]:
        """The rows, from the cache or else from a replica.

        Args:
            state: whose cache.
            shard: where.
            arguments: of the statement; numbers, texts and what else msgspec can write.
            seen: whose own writes the rows must show.
        """
        servers: list[str] = []

        async def fill(needs: Needs) -> bytes:
            async with shard.read(needs.after(shard)) as reader:
                servers.append(reader.server)
                rows = await reader.fetch(self._sql, *arguments)
            return self._codec.encode([dict(row) for row in rows])

        # JSON would write infinity and NaN like None.
        told = msgspec.msgpack.encode(arguments).hex()
        parts = tuple(Part(shard, table) for table in self._tables)
        cached = await state.cache.get(Key(f"{shard.index}:{told}:{self._name}", parts, self._ttl), fill, seen)
        rows = self._codec.decode(cached.value) if cached.value else []
        return Found(rows, cached.hit, cached.seconds, tuple(servers))


class CachedObject(Generic[T]):
    """An object that is assembled from several sources, cached until somebody writes to one of the rows it is made of.

    Args:
        name: tells it from the other objects; change it when `assemble` begins to mean something else.
        type: a msgspec Struct (or dataclass). Two releases whose types differ never read each other's values.
        assemble: reads the sources; None: there is no such object.
        made_of: the tables whose rows of the object's own id it is made of; or a function from its id to tables and
            ids, for an object with rows of others. Writers name the same to `Transaction.touch`.
        ttl: seconds.
    """

    def __init__(
        self,
        name: str,
        type: type[T],  # noqa: A002  what it is
        assemble: Callable[[Read, int], Awaitable[T | None]],
        *,
        made_of: Sequence[str] | MadeOf,
        ttl: float = TTL,
    ) -> None:
        self._codec = _Codec(type)
        self._name = f"object:{name}:{self._codec.shape}"
        self._assemble = assemble
        self._made_of = made_of if callable(made_of) else _own_rows(made_of)
        self._ttl = ttl

    async def get(self, state: HasStores, id: int, seen: Seen = STRANGER) -> Found[T | None]:  # noqa: A002
        """The object, from the cache or else assembled.

        Args:
            state: whose cache and database.
            id: the object's.
            seen: whose own writes it must show.
        """
        servers: list[str] = []

        async def fill(needs: Needs) -> bytes | None:
            @asynccontextmanager
            async def read(of: int) -> AsyncIterator[Reader]:
                shard = state.database.of(of)
                async with shard.read(needs.after(shard)) as reader:
                    servers.append(reader.server)
                    yield reader

            assembled = await self._assemble(read, id)
            return None if assembled is None else self._codec.encode(assembled)

        parts = tuple(Part(state.database.of(row), table, row) for table, row in self._made_of(id))
        cached = await state.cache.get(Key(f"{self._name}:{id}", parts, self._ttl), fill, seen)
        value = None if cached.value is None else self._codec.decode(cached.value)
        return Found(value, cached.hit, cached.seconds, tuple(servers))


class _Codec:
    """Values as bytes, and a digest of their type's shape: what another shape has written is never read."""

    def __init__(self, type: Any) -> None:  # noqa: A002  what it is
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(type)
        schema = msgspec.json.encode(msgspec.json.schema(type), order="deterministic")
        self.shape = hashlib.blake2b(schema, digest_size=8).hexdigest()

    def encode(self, value: Any) -> bytes:
        return self._encoder.encode(value)

    def decode(self, value: bytes) -> Any:
        return self._decoder.decode(value)


def _own_rows(tables: Sequence[str]) -> MadeOf:
    return lambda id: [(table, id) for table in tables]  # noqa: A006  the field's own word

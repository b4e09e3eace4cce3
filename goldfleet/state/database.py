"""The database: each user lives on one shard, each shard has a main and read replicas.

>>> async def rename(database: Database, session: Session, user_id: int, name: str) -> None:
...     shard = database.of(user_id)
...     async with shard.write() as transaction:
...         await transaction.execute("UPDATE users SET name = $1 WHERE id = $2", name, user_id)
...         transaction.touch("users", user_id)          # cached values made of it are old from now on
...     await session.wrote(transaction.written)         # from now on this session's reads see it
...     async with shard.read(after=session.position(shard)) as reader:
...         assert await reader.fetchval("SELECT name FROM users WHERE id = $1", user_id) == name

Errors of a statement are asyncpg's own, for example `asyncpg.UniqueViolationError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import asyncpg

from goldfleet.contract.environment import ShardAccess
from goldfleet.state.connections import Connection, Pool, server_errors
from goldfleet.state.exceptions import DatabaseDown, OutcomeUnknown
from goldfleet.state.ids import logical_shard_of, shard_of
from goldfleet.state.position import Position, Written, end_of_log
from goldfleet.state.replicas import Replicas
from goldfleet.state.tasks import end, uninterrupted
from goldfleet.state.versions import Announcement, RowId, Versions, key_of

__all__ = ["MAIN", "Database", "Position", "Reader", "Shard", "Transaction"]

MAIN = "main"
"""What `Reader.server` says when the main answers."""

# After the commit and not before: only then is the commit itself in the log at or before this place. The place of the
# next insert, not of the last flush: it is past the commit whatever `synchronous_commit` says.
_POSITION = """SELECT pg_current_wal_insert_lsn() AS lsn,
                      ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int AS timeline"""


class Reader:
    """Reads in one transaction that the database keeps from writing.

    Args (made by `Shard.read`):
        server: who answers, `main` or the `host:port` of a replica.
    """

    _not_now: tuple[type[Exception], ...] = ()

    def __init__(self, connection: Connection, server: str) -> None:
        self._connection = connection
        self.server = server

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """All rows, each an `asyncpg.Record`. `$1`, `$2` in the statement stand for the arguments."""
        with server_errors(self.server, *self._not_now):
            rows: list[Any] = await self._connection.fetch(sql, *arguments)
            return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        """The first row, or None."""
        with server_errors(self.server, *self._not_now):
            return await self._connection.fetchrow(sql, *arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first value of the first row, or None."""
        with server_errors(self.server, *self._not_now):
            return await self._connection.fetchval(sql, *arguments)


class Transaction(Reader):
    """Reads and writes on the main in one transaction: committed at the end of the block, undone by an exception."""

    # Where the main answered, a standby does now: after a failover the address will lead to the new main.
    _not_now = (asyncpg.ReadOnlySQLTransactionError,)
    _written: Written | None = None

    def __init__(self, connection: Connection, server: str) -> None:
        super().__init__(connection, server)
        self._touched: set[tuple[str, RowId]] = set()

    def touch(self, table: str, id: RowId) -> None:  # noqa: A002  the field's own word
        """Says what this transaction changes: what a table says of an id.

        After the commit no cached value that is made of it, or of the whole table, is taken for new any more.
        """
        self._touched.add((table, id))

    @property
    def touched(self) -> frozenset[tuple[str, RowId]]:
        """Tables and ids."""
        return frozenset(self._touched)

    async def execute(self, sql: str, *arguments: Any) -> str:
        """Runs a statement; PostgreSQL's command tag, for example `UPDATE 1`."""
        with server_errors(self.server, *self._not_now):
            tag: str = await self._connection.execute(sql, *arguments)
            return tag

    @property
    def written(self) -> Written:
        """For `Session.wrote`.

        Raises:
            RuntimeError: the block has not ended yet.
        """
        if self._written is None:
            raise RuntimeError("a transaction has written once its block has ended")
        return self._written

    def committed(self, written: Written) -> None:
        """For `Shard.write`."""
        self._written = written


class Shard:
    """One main and its replicas; got from `Database.of`."""

    def __init__(self, index: int, main: Pool, replicas: Replicas, versions: Versions | None) -> None:
        self.index = index
        self._main = main
        self._replicas = replicas
        self._versions = versions

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A read-write transaction on the main; what must be read to be written is read here too.

        Raises:
            DatabaseDown: the main does not answer; nothing was changed.
            OutcomeUnknown: it broke during the commit.
        """
        async with self._main.connection() as connection:
            begun = connection.transaction(readonly=False)
            with server_errors(str(self._main.server)):
                await begun.start()
            transaction = Transaction(connection, MAIN)
            try:
                yield transaction
            except BaseException:
                await _undo(begun)
                raise
            # From here on it is done to its end: what is committed and not told would leave old values in the cache.
            transaction.committed(await uninterrupted(self._commit(begun, connection, transaction.touched)))

    async def position(self) -> Position:
        """Where the main's log is now.

        Raises:
            DatabaseDown: the main does not answer.
        """
        async with self._main.connection() as connection:
            with server_errors(str(self._main.server)):
                return await self._position(connection)

    @asynccontextmanager
    async def read(self, after: Position | None = None) -> AsyncIterator[Reader]:
        """A read-only transaction on a replica that has replayed `after`; on the main if no replica has.

        Args:
            after: what the read must see: `Session.position(shard)`. None: anything not older than `LAG_LIMIT`.

        Raises:
            DatabaseDown: no server that may answer does.
        """
        async with AsyncExitStack() as stack:
            yield await self._reader(stack, after)

    async def _position(self, connection: Connection) -> Position:
        row = await connection.fetchrow(_POSITION)
        return Position(self.index, row["timeline"], end_of_log(row["lsn"]))

    async def _commit(self, begun: Any, connection: Connection, touched: Iterable[tuple[str, RowId]]) -> Written:
        announcement = self._announcement(touched)
        if announcement:
            await announcement.make()
        try:
            with server_errors(str(self._main.server)):
                await begun.commit()
        except DatabaseDown as error:
            raise OutcomeUnknown(error.where, error.what) from error
        except asyncpg.PostgresError:
            if announcement:
                await announcement.undone()
            raise
        try:
            with server_errors(str(self._main.server), asyncpg.PostgresError):
                position = await self._position(connection)
        except DatabaseDown as error:
            raise OutcomeUnknown(error.where, error.what) from error
        return Written(position, renewed=announcement is None or await announcement.committed(position))

    def _announcement(self, touched: Iterable[tuple[str, RowId]]) -> Announcement | None:
        keys = {key_of(self.index, table, part) for table, row in touched for part in (row, None)}
        return self._versions.announcement(sorted(keys)) if self._versions and keys else None

    async def _reader(self, stack: AsyncExitStack, after: Position | None) -> Reader:
        for replica in self._replicas.candidates(after):
            try:
                connection = await stack.enter_async_context(_reading(replica.pool))
            except DatabaseDown:
                replica.leave()  # nothing was read yet, so the next one may be asked
            else:
                return Reader(connection, replica.server)
        return Reader(await stack.enter_async_context(_reading(self._main)), MAIN)

    async def check(self) -> Mapping[str, str]:
        """`ok` or what is wrong, by server of this shard: `main` and each replica's `host:port`."""
        try:
            async with _reading(self._main):
                main = "ok"
        except DatabaseDown as down:
            main = str(down)
        replicas = {replica.server: "ok" if replica.reached else "out of rotation" for replica in self._replicas.all}
        return {MAIN: main, **replicas}


class Database:
    """All shards; made by `Database.open`."""

    def __init__(self, shards: Sequence[Shard], watchers: Sequence[asyncio.Task[None]], pools: Sequence[Pool]) -> None:
        self.shards = tuple(shards)
        self._watchers = watchers
        self._pools = pools

    @classmethod
    async def open(cls, shards: Sequence[ShardAccess], versions: Versions | None = None) -> Database:
        """Opens nothing but watchers in the background: an app starts although its database is down.

        Args:
            shards: in shard order, at least one.
            versions: are moved by what transactions touch. None: nothing is cached.
        """
        pools = [await Pool.open(access, access.main) for access in shards]
        replicas = [Replicas(index, access) for index, access in enumerate(shards)]
        watchers = [asyncio.create_task(each.run()) for each in replicas]
        opened = [Shard(index, *pair, versions) for index, pair in enumerate(zip(pools, replicas, strict=True))]
        return cls(opened, watchers, pools)

    def of(self, user_id: int) -> Shard:
        """The shard where a user's rows live, and whatever carries the same logical shard: the only way to a row."""
        return self.shards[shard_of(logical_shard_of(user_id), len(self.shards))]

    @property
    def directory(self) -> Shard:
        """The shard that holds the directory of names: who is not known by id yet is found there."""
        return self.shards[0]

    async def close(self) -> None:
        """Stops the watchers and closes all connections."""
        await end(self._watchers)
        for pool in self._pools:
            pool.close()


@asynccontextmanager
async def _reading(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.connection() as connection:
        begun = connection.transaction(readonly=True)
        with server_errors(str(pool.server)):
            await begun.start()
        try:
            yield connection
        finally:
            await _undo(begun)


async def _undo(begun: Any) -> None:
    """Rolls back; a connection that broke has nothing to roll back."""
    with suppress(DatabaseDown), server_errors(MAIN):
        await begun.rollback()

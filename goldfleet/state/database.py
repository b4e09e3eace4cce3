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
from contextlib import asynccontextmanager

import asyncpg

from goldfleet.contract.deadlines import STORE_REPLY
from goldfleet.contract.environment import ShardAccess
from goldfleet.state.connections import Connection, server_errors
from goldfleet.state.exceptions import DatabaseDown, OutcomeUnknown
from goldfleet.state.ids import logical_shard_of, shard_of
from goldfleet.state.pool import Pool, refuse_standby
from goldfleet.state.position import Position, Written, end_of_log
from goldfleet.state.replicas import Replicas
from goldfleet.state.tasks import end, uninterrupted
from goldfleet.state.transaction import MAIN, Reader, RoutedReader, Transaction
from goldfleet.state.versions import Announcement, RowId, Versions, key_of

__all__ = ["MAIN", "Database", "Position", "Reader", "Shard", "Transaction"]

# After the commit and not before: only then is the commit itself in the log at or before this place. The place of the
# last flush, which is past the commit unless a commit does not wait for it: beyond it are records of transactions that
# are still open, which no replica gets until somebody commits; and nobody does when the main is gone.
_POSITION = """SELECT CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()
                           ELSE pg_current_wal_flush_lsn() END AS lsn,
                      ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int AS timeline"""


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
            asyncpg.InFailedSQLTransactionError: a statement failed and the block went on: all of it was undone.
        """
        async with self._main.connection() as connection:
            refuse_standby(connection)
            with server_errors(MAIN, asyncpg.FeatureNotSupportedError):  # a standby does not know how to
                await connection.execute("BEGIN READ WRITE", timeout=STORE_REPLY)
            transaction = Transaction(connection)
            yield transaction
            # From here on it is done to its end: what is committed and not told would leave old values in the cache.
            transaction.committed(await uninterrupted(self._commit(connection, transaction.touched)))

    async def position(self) -> Position:
        """Where the main's log is now.

        Raises:
            DatabaseDown: the main does not answer.
        """
        async with self._main.connection() as connection:
            return await self._position(connection)

    @asynccontextmanager
    async def read(self, after: Position | None = None) -> AsyncIterator[Reader]:
        """Reads on a replica that has replayed `after`; on the main if no replica has.

        Args:
            after: what the read must see: `Session.position(shard)`. None: anything not older than `LAG_LIMIT`.

        Raises:
            DatabaseDown: no server that may answer does.
        """
        reader = RoutedReader(self._replicas, after, self._main)
        await reader.open()
        try:
            yield reader
        except BaseException as error:
            await reader.close(error)
            raise
        else:
            await reader.close(None)

    async def _position(self, connection: Connection) -> Position:
        with server_errors(MAIN, asyncpg.ObjectNotInPrerequisiteStateError):  # a standby writes no log
            row = await connection.fetchrow(_POSITION, timeout=STORE_REPLY)
        return Position(self.index, row["timeline"], end_of_log(row["lsn"]))

    async def _commit(self, connection: Connection, touched: Iterable[tuple[str, RowId]]) -> Written:
        announcement = self._announcement(touched)
        if announcement:
            await announcement.make()
        try:
            with server_errors(MAIN):
                tag = await connection.execute("COMMIT")
            if tag != "COMMIT":
                raise asyncpg.InFailedSQLTransactionError("a statement before had failed, so all was undone")
        except DatabaseDown as error:
            raise OutcomeUnknown(error.where, error.what) from error
        except asyncpg.PostgresError:
            if announcement:
                await announcement.undone()
            raise
        try:
            with server_errors(MAIN, asyncpg.PostgresError):
                position = await self._position(connection)
        except DatabaseDown as error:
            raise OutcomeUnknown(error.where, error.what) from error
        return Written(position, renewed=announcement is None or await announcement.committed(position))

    def _announcement(self, touched: Iterable[tuple[str, RowId]]) -> Announcement | None:
        keys = {key_of(self.index, table, part) for table, row in touched for part in (row, None)}
        return self._versions.announcement(sorted(keys)) if self._versions and keys else None

    async def check(self) -> Mapping[str, str]:
        """`ok` or what is wrong, by server of this shard: `main` and each replica's `host:port`."""
        try:
            await self.position()
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
        pools = [Pool(access, access.main) for access in shards]
        replicas = [Replicas(access, pool) for access, pool in zip(shards, pools, strict=True)]
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
            await pool.close()

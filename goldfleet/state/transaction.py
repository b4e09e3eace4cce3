"""What is done on a server: reads, which any server may answer that is recent enough, and transactions on the main."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from goldfleet.contract.deadlines import STORE_REPLY
from goldfleet.state import statements
from goldfleet.state.connections import Connection, server_errors
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.pool import Pool, PoolBusy, is_standby, refuse_standby
from goldfleet.state.position import Position, Written
from goldfleet.state.replicas import Replicas
from goldfleet.state.versions import RowId

MAIN = "main"
"""What `Reader.server` says when the main answers."""

# The statement itself takes long: it would elsewhere too.
_SLOW = (TimeoutError, asyncpg.QueryCanceledError)


class Reader:
    """Reads. Got from `Shard.read` the database keeps it from writing; a `Transaction` is one that may write too.

    Args:
        server: who answers, `main` or the `host:port` of a replica.
    """

    _not_now: tuple[type[Exception], ...] = ()
    _connection: Connection
    server = MAIN

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """All rows, each an `asyncpg.Record`. `$1`, `$2` in the statement stand for the arguments."""
        rows: list[Any] = await self._run("fetch", sql, arguments)
        return rows

    async def fetchrow(self, sql: str, *arguments: Any) -> Any:
        """The first row, or None."""
        return await self._run("fetchrow", sql, arguments)

    async def fetchval(self, sql: str, *arguments: Any) -> Any:
        """The first value of the first row, or None."""
        return await self._run("fetchval", sql, arguments)

    async def _run(self, how: str, sql: str, arguments: Sequence[Any]) -> Any:
        statements.check(sql)
        with server_errors(self.server, *self._not_now):
            return await getattr(self._connection, how)(sql, *arguments)


class RoutedReader(Reader):
    """Reads on a server that is recent enough, made by `Shard.read`.

    All statements of a block run on one server. If it fails before it has answered anything, the next one is asked:
    nothing can have happened twice, and nobody has seen a later state yet. The last is the main. When it is gone, a
    replica may have replayed enough by now: who has just written, and so was sent to the main, need not notice.

    Args:
        replicas: the replicas of the shard.
        after: what the answer must be based on.
        main: answers if no replica does.
    """

    def __init__(self, replicas: Replicas, after: Position | None, main: Pool) -> None:
        self._all = replicas
        self._after = after
        self._replicas = replicas.candidates(after)
        self._main = main
        self._main_failed = False
        self._pool: Pool | None = None
        self._answered = False

    async def open(self) -> None:
        """For `Shard.read`. Raises DatabaseDown."""
        while self._replicas:
            replica = self._replicas.pop(0)
            try:
                await self._begin(replica.pool, replica.server)
            except PoolBusy:
                raise  # all are busy: the main has its own work to do
            except DatabaseDown:
                replica.leave()
            else:
                return
        if self._main_failed:
            raise DatabaseDown(self._main.name, "is gone, and no replica has what this read must show")
        try:
            await self._begin(self._main, MAIN)
        except PoolBusy:
            raise
        except DatabaseDown as down:
            await self._without_main(down)

    async def _without_main(self, down: DatabaseDown) -> None:
        if self._main_failed:
            raise down
        self._main_failed = True
        self._replicas = await self._all.soon(self._after)
        if not self._replicas:
            raise down
        await self.open()

    async def close(self, error: BaseException | None) -> None:
        """For `Shard.read`."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            if error is None and not self._connection.is_closed() and self._connection.is_in_transaction():
                error = await self._rollback()
        except BaseException as interrupted:
            await pool.give_back(self._connection, interrupted)
            raise
        await pool.give_back(self._connection, error)

    async def _begin(self, pool: Pool, server: str) -> None:
        self._connection = await pool.take()
        self._pool, self.server = pool, server
        try:
            if server == MAIN:
                refuse_standby(self._connection)
            if not is_standby(self._connection):  # which cannot write anyway, and so needs no round trips around a read
                with server_errors(server):
                    await self._connection.execute("BEGIN READ ONLY", timeout=STORE_REPLY)
        except BaseException as error:
            await self.close(error)
            raise

    async def _rollback(self) -> BaseException | None:
        try:
            with server_errors(self.server):
                await self._connection.execute("ROLLBACK", timeout=STORE_REPLY)
        except DatabaseDown as down:
            return down
        return None

    async def _run(self, how: str, sql: str, arguments: Sequence[Any]) -> Any:
        while True:
            try:
                answer = await super()._run(how, sql, arguments)
            except DatabaseDown as down:
                if self._answered or isinstance(down.__cause__, _SLOW):
                    raise
                was_main = self.server == MAIN
                await self.close(down)
                await (self._without_main(down) if was_main else self.open())
            else:
                self._answered = True
                return answer


class Transaction(Reader):
    """Reads and writes on the main in one transaction: committed at the end of the block, undone by an exception."""

    # Where the main answered, a standby does now: after a failover the address will lead to the new main.
    _not_now = (asyncpg.ReadOnlySQLTransactionError,)
    _written: Written | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
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
        tag: str = await self._run("execute", sql, arguments)
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

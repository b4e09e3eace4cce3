"""A pool of connections to one PostgreSQL server, bounded in number, waiting and age.

A connection goes to the next request as it is, without a reset: `statements` refuses what would leave something behind,
and what comes back is looked at, which needs no round trip: PostgreSQL itself tells with each answer whether a
transaction is open and whether the connection may write by default. A block that failed gives its connection back
mended: what was cancelled has ended, and what was begun is undone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import asyncpg

from goldfleet.contract.deadlines import STORE_CONNECT, STORE_REPLY
from goldfleet.contract.environment import ShardAccess
from goldfleet.contract.stores import DATABASE_POOL, Endpoint
from goldfleet.state.connections import Connection, server_errors, settings
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.tasks import end

ACQUIRE = 2 * STORE_CONNECT
"""Seconds to wait for a free connection."""
IDLE_CONNECTION = 300
"""Seconds after which an unused connection is closed."""


class PoolBusy(DatabaseDown):
    """All connections are in use; the server may be well."""


class Pool:
    """Connections to a server of a shard, opened when they are needed.

    Args:
        access: the shard.
        server: its main, or a replica.
    """

    def __init__(self, access: ShardAccess, server: Endpoint) -> None:
        self.server = server
        self.name = f"database {server}"
        self._settings = settings(access, server)
        self._slots = asyncio.Semaphore(DATABASE_POOL)
        self._idle: deque[tuple[float, Connection]] = deque()
        self._lent: dict[Connection, int] = {}
        self._era = 0
        self._mending: set[asyncio.Task[None]] = set()
        self._down: DatabaseDown | None = None

    @property
    def busy(self) -> bool:
        """True if the next one would have to wait."""
        return self._slots.locked()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lends a connection for the length of the block. Raises as `take` does."""
        connection = await self.take()
        try:
            yield connection
        except BaseException as error:
            await self.give_back(connection, error)
            raise
        else:
            await self.give_back(connection)

    async def take(self) -> Connection:
        """A connection, to be given back.

        Raises:
            PoolBusy: none is free within `ACQUIRE` seconds.
            DatabaseDown: none can be opened, or the server is known not to answer.
        """
        await self._wait_for_slot()
        try:
            self._refuse_if_down()
            connection = self._from_idle() or await self._open()
        except BaseException:
            self._slots.release()
            raise
        self._lent[connection] = self._era
        return connection

    async def give_back(self, connection: Connection, error: BaseException | None = None) -> None:
        """Takes a connection back.

        Args:
            connection: from `take`.
            error: what ended its use early. Then what is open on it is undone, behind the caller's back if the caller
                is in a hurry: cancelled, or told that the server does not answer.
        """
        if error is None:
            self._keep(connection)
            return
        mending = asyncio.get_running_loop().create_task(self._mend(connection))
        self._mending.add(mending)
        mending.add_done_callback(self._mending.discard)
        if isinstance(error, Exception) and not isinstance(error, DatabaseDown):
            await asyncio.shield(mending)

    def eject(self, why: DatabaseDown) -> None:
        """Refuses everybody at once until `readmit`, so that nobody waits for a server that does not answer."""
        self._down = why
        self.renew()

    def readmit(self) -> None:
        self._down = None

    def renew(self) -> None:
        """The next ones get new connections; what is under way goes on."""
        while self._idle:
            self._idle.pop()[1].terminate()
        self._era += 1

    def cut(self) -> None:
        """Breaks what is under way: whoever waits for an answer is told at once that there is none."""
        for connection in list(self._lent):
            connection.terminate()

    def prune(self) -> None:
        """Closes what has not been used for long."""
        while self._idle and monotonic() - self._idle[0][0] > IDLE_CONNECTION:
            self._idle.popleft()[1].terminate()

    async def close(self) -> None:
        """Closes all connections, those in use too."""
        self.cut()
        self.eject(DatabaseDown(self.name, "was closed"))
        await end(list(self._mending))

    def _refuse_if_down(self) -> None:
        if self._down is not None:
            raise DatabaseDown(self.name, f"as of a moment ago: {self._down.what}", self._down.way_out)

    async def _wait_for_slot(self) -> None:
        self._refuse_if_down()
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(ACQUIRE):
                await self._slots.acquire()
        except TimeoutError as error:
            raise PoolBusy(self.name, f"all {DATABASE_POOL} connections are in use") from error

    def _from_idle(self) -> Connection | None:
        while self._idle:
            _, connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None

    async def _open(self) -> Connection:
        with server_errors(str(self.server)):
            return await asyncpg.connect(**self._settings)

    def _keep(self, connection: Connection) -> None:
        of_now = self._lent.pop(connection) == self._era and self._down is None
        if of_now and _is_clean(connection):
            self._idle.append((monotonic(), connection))
        else:
            connection.terminate()
        self._slots.release()

    async def _mend(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(STORE_REPLY):
                if not connection.is_closed() and not connection.is_in_transaction():
                    await connection.execute("SELECT")  # begins once what was cancelled has ended
                if not connection.is_closed() and connection.is_in_transaction():
                    await connection.execute("ROLLBACK")
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
            connection.terminate()
        except BaseException:
            connection.terminate()
            raise
        finally:
            self._keep(connection)


def is_standby(connection: Connection) -> bool:
    """Whether the server cannot write at all, as it said itself with its last answer."""
    return bool(connection.get_settings().in_hot_standby == "on")


def refuse_standby(connection: Connection) -> None:
    """To be asked of what should be the main: a standby may be behind it.

    Raises:
        DatabaseDown: the server is a standby; after a failover the main's address leads elsewhere.
    """
    if is_standby(connection):
        raise DatabaseDown("database main", "is a standby now")


def _is_clean(connection: Connection) -> bool:
    if connection.is_closed() or connection.is_in_transaction():
        return False
    return bool(connection.get_settings().default_transaction_read_only == "on")

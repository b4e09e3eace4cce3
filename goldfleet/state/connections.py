"""Pools of connections to PostgreSQL servers, and which errors mean that a server cannot be used now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg

from goldfleet.contract.deadlines import STATEMENT, STORE_CONNECT
from goldfleet.contract.environment import ShardAccess
from goldfleet.contract.stores import DATABASE_POOL, Endpoint
from goldfleet.state.access import read_password, tls_for, way_out
from goldfleet.state.exceptions import DatabaseDown

ACQUIRE = 2 * STORE_CONNECT
"""Seconds to wait for a free connection, and to open one."""
IDLE_CONNECTION = 300
"""Seconds after which an unused connection is closed."""

_SERVER_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # starting, stopping, crashed, or the statement took too long
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.InvalidAuthorizationSpecificationError,  # the password is being rotated
    asyncpg.InvalidCatalogNameError,  # the database has not been made yet
    asyncpg.TransactionRollbackError,  # deadlock, or a conflict with what a replica replays: it was undone
    asyncpg.InternalClientError,  # the connection broke between two messages of the protocol
    OSError,
    TimeoutError,
)

_CLOSED = ("connection is closed", "released back to the pool", "pool is clos")

Connection = Any
"""asyncpg's connection, or its stand-in while it is lent by a pool: the package has no public type for both."""


def settings(access: ShardAccess, server: Endpoint) -> dict[str, Any]:
    """What asyncpg needs to connect to a server of a shard."""
    return {
        "host": server.host,
        "port": server.port,
        "database": access.database,
        "user": access.username,
        "password": lambda: read_password(access.password_file),
        "ssl": tls_for(server.host) or False,
        "timeout": STORE_CONNECT,
        "command_timeout": STATEMENT,
        "server_settings": {
            "application_name": "goldfleet",
            "statement_timeout": str(round(STATEMENT * 1000)),
            "idle_in_transaction_session_timeout": str(round(STATEMENT * 1000)),
        },
    }


class Pool:
    """Connections to one server, opened when they are needed; made by `Pool.open`."""

    def __init__(self, server: Endpoint, pool: asyncpg.Pool) -> None:
        self.server = server
        self._pool = pool

    @classmethod
    async def open(cls, access: ShardAccess, server: Endpoint) -> Pool:
        """A pool for a server of a shard; connects to nothing yet."""
        options = settings(access, server)
        pool = await asyncpg.create_pool(
            min_size=0, max_size=DATABASE_POOL, max_inactive_connection_lifetime=IDLE_CONNECTION, **options
        )
        return cls(server, pool)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lends a connection.

        Raises:
            DatabaseDown: no connection within `ACQUIRE` seconds.
        """
        with server_errors(str(self.server)):
            connection = await self._pool.acquire(timeout=ACQUIRE)
        try:
            yield connection
        finally:
            await self._give_back(connection)

    def close(self) -> None:
        """Closes all connections, those in use too."""
        self._pool.terminate()

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._pool.release(connection, timeout=STORE_CONNECT)
        except (*_SERVER_GONE, asyncpg.InterfaceError):
            return  # asyncpg has closed it; what the caller did with it stands


@contextmanager
def server_errors(server: str, *also: type[Exception]) -> Iterator[None]:
    """Turns errors that mean "not now", and those of `also`, into DatabaseDown; others pass through."""
    try:
        yield
    except (*_SERVER_GONE, *also) as error:
        said = f"{type(error).__name__}: {error}".strip()
        raise DatabaseDown(f"database {server}", said, way_out(error)) from error
    except asyncpg.InterfaceError as error:
        # The same class says "closed" and "you passed two arguments instead of one".
        if not any(words in str(error) for words in _CLOSED):
            raise
        raise DatabaseDown(f"database {server}", str(error)) from error

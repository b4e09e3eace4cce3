"""How a PostgreSQL server is connected to, and which errors mean that it cannot be used now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from goldfleet.contract.deadlines import STATEMENT, STORE_CONNECT
from goldfleet.contract.environment import ShardAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.access import read_password, tls_for, way_out
from goldfleet.state.exceptions import DatabaseDown

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

_CLOSED = "connection is closed"

Connection = Any
"""asyncpg's connection; the package has no types."""


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
            "default_transaction_read_only": "on",  # whatever does not begin by saying that it writes, does not
            "statement_timeout": str(round(STATEMENT * 1000)),
            "idle_in_transaction_session_timeout": str(round(STATEMENT * 1000)),
        },
    }


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
        if _CLOSED not in str(error):
            raise
        raise DatabaseDown(f"database {server}", str(error)) from error

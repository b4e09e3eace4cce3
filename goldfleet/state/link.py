"""One connection to Valkey. What it is asked it answers in full, or it is closed: no reply is left for the next one."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Any

from valkey.asyncio.connection import Connection, SSLConnection
from valkey.credentials import CredentialProvider
from valkey.exceptions import ResponseError

from goldfleet.contract.deadlines import STORE_CONNECT
from goldfleet.contract.environment import StoreAccess
from goldfleet.state.access import read_password

Reply = Any
"""Bytes, integers, None and lists of these, as the protocol has them."""


class _Link:
    """What both kinds of valkey-py's connections get."""

    _reader: Any
    is_connected: bool
    disconnect: Any
    send_packed_command: Any
    read_response: Any

    async def ask(self, commands: Sequence[bytes]) -> list[Reply]:
        """Sends packed commands in one go, and reads the reply to each; an error of the server is a reply too.

        Connects first, if it must. Bound the time from outside: a call that is cancelled closes the connection.

        Raises:
            ValkeyError, OSError: it broke.
        """
        if self.is_connected and self._reader.at_eof():
            await self.disconnect(nowait=True)  # the server has closed it meanwhile
        try:
            await self.send_packed_command(b"".join(commands))
            return [await self._reply() for _ in commands]
        except BaseException:
            await self.disconnect(nowait=True)
            raise

    async def _reply(self) -> Reply:
        try:
            return await self.read_response()
        except ResponseError as error:
            return error


class PlainLink(_Link, Connection):
    """In clear, to a loopback address."""


class TlsLink(_Link, SSLConnection):
    """Over TLS. Of itself, each of valkey-py's connections would read all authorities again, and check no name."""

    def __init__(self, tls: ssl.SSLContext, **others: Any) -> None:
        super().__init__(**others)
        self.ssl_context.context = tls


Link = PlainLink | TlsLink


def link_to(access: StoreAccess, tls: ssl.SSLContext | None, connect: float) -> Link:
    """A link that connects when it is first asked.

    Args:
        access: where to, and who asks.
        tls: None for a loopback address.
        connect: seconds to connect in, at most.
    """
    options: dict[str, Any] = {
        "host": access.primary.host,
        "port": access.primary.port,
        "credential_provider": _Login(access),
        "socket_timeout": None,  # who asks bounds a whole batch; valkey-py would set a timer for each reply
        "socket_connect_timeout": min(STORE_CONNECT, connect),
    }
    return PlainLink(**options) if tls is None else TlsLink(tls, **options)


class _Login(CredentialProvider):
    def __init__(self, access: StoreAccess) -> None:
        self._access = access

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        return self._access.username, read_password(self._access.password_file)

"""Carries a guest's connections to servers of this computer, in TLS towards the guest where AWS's would be.

QEMU starts `door.py` for each connection; that hands the connection over, and everything else happens in one thread.
Source: PostgreSQL, "Frontend/Backend Protocol", SSLRequest.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from local import certificates
from local.accounts import MYSELF, Account
from local.machine.network import Service, Speaks

_SSL_REQUEST = (8).to_bytes(4) + (80877103).to_bytes(4)
_HANDSHAKE = 20.0
_CONNECT = 5.0
_CHUNK = 64 * 1024
_NAME = 256


class Relays:
    """The relays of one guest; they work from construction until `close`.

    Args:
        services: what the guest may reach.
        stores: folder of the authority that signs what the guest is shown.
        folder: where the door is made.
        account: who runs QEMU, and so may knock.
    """

    def __init__(self, services: Sequence[Service], stores: Path, folder: Path, account: Account = MYSELF) -> None:
        self._services: Mapping[str, Service] = {service.name: service for service in services}
        self._contexts = {
            service.name: _server_context(stores, service) for service in services if service.speaks is not Speaks.CLEAR
        }
        self._home = tempfile.TemporaryDirectory(dir=folder, prefix="door-")
        self.door = Path(self._home.name) / "door"
        self._socket = _bound(self.door)
        account.give(Path(self._home.name))
        account.give(self.door)
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._loop.add_reader(self._socket, self._take_connection)
        self._thread = threading.Thread(target=self._loop.run_forever, name="relays", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Closes the door and every connection."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._socket.close()
        self._home.cleanup()

    async def _end(self) -> None:
        self._loop.remove_reader(self._socket)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _take_connection(self) -> None:
        name, handles, _, _ = socket.recv_fds(self._socket, _NAME, 1)
        for handle in handles:
            service = self._services.get(name.decode(errors="replace"))
            if service is None:
                os.close(handle)
            else:
                self._keep(self._carry(service, socket.socket(fileno=handle)))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, service: Service, connection: socket.socket) -> None:
        """Carries one connection until either side ends; whatever breaks it, the guest sees it closed."""
        with connection, suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            connection.setblocking(False)
            if service.speaks is Speaks.POSTGRESQL:
                async with asyncio.timeout(_HANDSHAKE):
                    await self._answer_ssl_request(connection)
            guest = await self._streams(connection, self._contexts.get(service.name))
            try:
                async with asyncio.timeout(_CONNECT):
                    server = await asyncio.open_connection(service.outside.host, service.outside.port)
                await _join(guest, server)
            finally:
                guest[1].transport.abort()

    async def _answer_ssl_request(self, connection: socket.socket) -> None:
        asked = b""
        while len(asked) < len(_SSL_REQUEST):
            more = await self._loop.sock_recv(connection, len(_SSL_REQUEST) - len(asked))
            if not more:
                raise ConnectionError("closed before it asked for TLS")
            asked += more
        if asked != _SSL_REQUEST:
            raise ConnectionError("PostgreSQL in clear is refused here, as RDS does with rds.force_ssl")
        await self._loop.sock_sendall(connection, b"S")

    async def _streams(
        self, connection: socket.socket, tls: ssl.SSLContext | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader = asyncio.StreamReader()
        transport, protocol = await self._loop.connect_accepted_socket(
            lambda: asyncio.StreamReaderProtocol(reader),
            connection,
            ssl=tls,
            ssl_handshake_timeout=_HANDSHAKE if tls else None,
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, self._loop)


async def _join(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter], other: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    """Copies both ways until either side has ended."""
    try:
        ways = [asyncio.ensure_future(_copy(one[0], other[1])), asyncio.ensure_future(_copy(other[0], one[1]))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        one[1].close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CONNECT):
                await one[1].wait_closed()
    finally:
        other[1].transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()


def _bound(door: Path) -> socket.socket:
    """A socket at a path of any length: its folder is named by an open file, for the kernel takes 107 bytes only."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    folder = os.open(door.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        made.bind(f"/proc/self/fd/{folder}/{door.name}")
    finally:
        os.close(folder)
    made.setblocking(False)
    return made


def _server_context(stores: Path, service: Service) -> ssl.SSLContext:
    """The service's certificate, for the address that the guest knows."""
    certificate, key = certificates.issue(stores, service.inside.host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.NamedTemporaryFile("w") as file:  # OpenSSL reads files only; this one is ours alone, and gone at once
        file.write(certificate + key)
        file.flush()
        context.load_cert_chain(file.name)
    return context

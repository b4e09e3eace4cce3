"""Real TLS between the state library and its stores, asked for by a name: `localhost` is no loopback address.

PostgreSQL answers in TLS and in plaintext on the same port, so whoever fell back to plaintext would be let in. Valkey
answers in TLS by way of HAProxy.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from goldfleet.contract.environment import Environment, ShardAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.cache import Key, Needs
from goldfleet.state.exceptions import DatabaseDown, SessionsDown, Unavailable
from goldfleet.state.migrate import ensure_role, migrate
from goldfleet.state.state import State
from local.accounts import unprivileged
from local.certificates import issue
from local.tools import HAPROXY, find
from tests.server import APP, Server
from tests.stores import Stores, eventually

DATABASE = "tls"
HOST = "localhost"
IS_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
HANDSHAKE = b"\x16\x03"


class Front(Server):
    """HAProxy on 127.0.0.1: passes PostgreSQL's own TLS on, and speaks TLS in Valkey's place."""

    def __init__(self, folder: Path, stores: Stores) -> None:
        super().__init__(folder)
        folder.mkdir()
        self._program = find(HAPROXY)["haproxy"]
        self._account = unprivileged([Path(self._program), folder])
        self._account.give(folder)
        self._ports = {server: free_port() for server in stores.servers}
        secure = f" ssl crt {folder / 'server.pem'}"
        listeners = "".join(
            f"listen {server.folder.name}\n"
            f"  bind 127.0.0.1:{port}{secure if server in (stores.sessions, stores.cache) else ''}\n"
            f"  server one {server.endpoint}\n"
            for server, port in self._ports.items()
        )
        timeouts = "".join(f"  timeout {what} 60s\n" for what in ("connect", "client", "server"))
        self._account.write(folder / "haproxy.cfg", f"global\n  maxconn 200\ndefaults\n{timeouts}{listeners}")

    def door(self, server: Server) -> Endpoint:
        """Where a store answers by the name that its certificate should have."""
        return Endpoint(HOST, self._ports[server])

    def present(self, certificate: str, key: str) -> None:
        """Shows this certificate (PEM) from now on."""
        self.stop()
        self._account.write(self.folder / "server.pem", certificate + key)
        self.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        return self._popen(self._program, "-db", "-f", str(self.folder / "haproxy.cfg"), account=self._account)

    def _answers(self) -> bool:
        with suppress(OSError):
            for port in self._ports.values():
                socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        return False


class SecureStores:
    """The stores behind TLS, and an authority that signed what they show."""

    def __init__(self, stores: Stores, folder: Path) -> None:
        self._stores, self._folder = stores, folder
        self.front = Front(folder / "front", stores)
        self._replicas_file = folder / "replicas.json"
        self._replicas_file.write_text(json.dumps([str(self.front.door(stores.replica))]))
        self._authority = folder / "authority"
        self._authority.mkdir()

    @property
    def authority(self) -> Path:
        return self._authority / "ca.pem"

    def present(self, host: str) -> None:
        """All servers show a certificate for this name."""
        certificate, key = issue(self._authority, host)
        self._stores.main.offer_tls(certificate, key)
        self._stores.replica.offer_tls(certificate, key)
        self.front.present(certificate, key)

    def stop(self) -> None:
        self.front.stop()
        self._stores.main.stop_tls()
        self._stores.replica.stop_tls()

    def owner(self) -> ShardAccess:
        return self._secure(self._stores.owner(DATABASE))

    def environment(self) -> Environment:
        """What the launcher would tell the app."""
        plain, door = self._stores.environment(DATABASE), self.front.door
        return replace(
            plain,
            shards=tuple(map(self._secure, plain.shards)),
            sessions=replace(plain.sessions, primary=door(self._stores.sessions)),
            cache=replace(plain.cache, primary=door(self._stores.cache)),
        )

    def _secure(self, shard: ShardAccess) -> ShardAccess:
        return replace(shard, main=self.front.door(self._stores.main), replicas_file=str(self._replicas_file))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def trusting(authority: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority))
        yield


@pytest.fixture(scope="module")
def migrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls-migrations")
    (folder / "0001_notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY, text text NOT NULL);")
    return folder


@pytest.fixture(scope="module")
async def secure(
    prepared: Stores, migrations: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SecureStores]:
    """All stores in TLS, with the schema and the app's role made through it."""
    if not prepared.main.knows_tls:
        pytest.skip("this PostgreSQL was built without TLS: install the system's")
    stores = SecureStores(prepared, tmp_path_factory.mktemp("tls"))
    stores.present(HOST)
    prepared.make_database(DATABASE)
    with trusting(stores.authority):
        assert await migrate(stores.owner(), migrations) == ["0001_notes.sql"]
        await ensure_role(stores.owner(), APP, Path(prepared.app_password_file))
    yield stores
    stores.stop()


@pytest.fixture
async def state(secure: SecureStores) -> AsyncIterator[State]:
    """A clone that trusts the stores' authority, with the replica in rotation."""
    with trusting(secure.authority):
        opened = await State.open(secure.environment())
        try:
            await eventually(lambda: all_ready(opened), 30)
            yield opened
        finally:
            await opened.close()


async def all_ready(state: State) -> bool:
    ready = await state.ready()
    return len(ready) > 3 and set(ready.values()) == {"ok"}


@pytest.fixture(params=["unknown authority", "another name"])
def refused(request: pytest.FixtureRequest, secure: SecureStores, tmp_path: Path) -> Iterator[str]:
    """Certificates that must not be taken; the words of the refusal."""
    if request.param == "unknown authority":
        issue(tmp_path, HOST)
        with trusting(tmp_path / "ca.pem"):
            yield "certificate verify failed"
        return
    secure.present("db.example.org")
    with trusting(secure.authority):
        yield "certificate is not valid for 'localhost'"
    secure.present(HOST)


async def test_main_and_replica_are_asked_in_tls(state: State, new_user: Callable[[], int]) -> None:
    user = new_user()
    shard = state.database.of(user)
    async with shard.write() as transaction:
        assert await transaction.fetchval(IS_ENCRYPTED) is True
        await transaction.execute("INSERT INTO notes VALUES ($1, 'secret')", user)
    async with shard.read(after=transaction.written.position) as reader:
        assert await reader.fetchval("SELECT text FROM notes WHERE id = $1", user) == "secret"
    async with shard.read() as reader:
        assert reader.server.startswith(HOST)
        assert await reader.fetchval(IS_ENCRYPTED) is True


async def filled(needs: Needs) -> bytes:
    return b"filled"


async def test_sessions_and_cache_work_in_tls(state: State, new_user: Callable[[], int]) -> None:
    user = new_user()
    _, token = await state.sessions.start(user)
    loaded = await state.sessions.load(token)
    assert loaded is not None
    assert loaded.user_id == user

    async def kept() -> bool:
        return (await state.cache.get(Key(f"tls:{user}"), filled)).hit

    await eventually(kept)


async def test_a_certificate_that_does_not_hold_is_refused_and_the_reason_told(
    secure: SecureStores, refused: str, new_user: Callable[[], int]
) -> None:
    state = await State.open(secure.environment())
    try:
        with pytest.raises(DatabaseDown, match=refused) as database:
            async with state.database.directory.read():
                pass
        with pytest.raises(SessionsDown, match=refused) as sessions:
            await state.sessions.start(new_user())
        assert not (await state.cache.get(Key("tls"), filled)).hit
        assert all("SSL_CERT_FILE" in caught.value.way_out for caught in (database, sessions))
        assert "ok" not in (await state.ready()).values()
    finally:
        await state.close()


async def test_a_migration_does_not_wait_for_a_certificate_to_mend_itself(
    secure: SecureStores, refused: str, migrations: Path
) -> None:
    async with asyncio.timeout(60):
        with pytest.raises(DatabaseDown, match=refused):
            await migrate(secure.owner(), migrations)


@asynccontextmanager
async def plaintext_server(answer: bytes) -> AsyncIterator[tuple[Endpoint, bytearray]]:
    """Says the same to whatever it is sent, and keeps that."""
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                received.extend(data)
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Endpoint(HOST, server.sockets[0].getsockname()[1]), received


async def test_a_server_without_tls_is_sent_nothing(prepared: Stores, migrations: Path, tmp_path: Path) -> None:
    plain = prepared.environment(DATABASE)
    async with plaintext_server(b"N") as (database, asked), plaintext_server(b"-ERR what?\r\n") as (store, told):
        (tmp_path / "none.json").write_text("[]")
        shard = replace(plain.shards[0], main=database, replicas_file=str(tmp_path / "none.json"))
        sessions, cache = (replace(access, primary=store) for access in (plain.sessions, plain.cache))
        state = await State.open(replace(plain, shards=(shard,), sessions=sessions, cache=cache))
        try:
            with pytest.raises(DatabaseDown, match="rejected SSL upgrade"):
                async with state.database.directory.write():
                    pass
            with pytest.raises(Unavailable, match="SSL"):
                await state.sessions.start(1)
            with pytest.raises(DatabaseDown, match="rejected SSL upgrade"):
                await migrate(shard, migrations, deadline=0.1)
        finally:
            await state.close()
    assert asked.startswith(SSL_REQUEST)
    assert not asked.replace(SSL_REQUEST, b"")
    assert told.startswith(HANDSHAKE)
    assert prepared.sessions.password.encode() not in told

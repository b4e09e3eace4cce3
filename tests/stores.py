"""Real stores for tests: PostgreSQL with a streaming replica, and two Valkeys, all on loopback and short-lived.

A `conftest.py` gets them by `from tests.stores import stores`. Roles are as on RDS: the owner may make roles and
databases and is no superuser; the app's role is made by the migration.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from goldfleet.contract.environment import Environment, ShardAccess, StoreAccess
from goldfleet.contract.stores import Endpoint
from local.accounts import Account, unprivileged
from local.plane.actor import OneShot, clean_environment
from local.processes import tree
from local.run_folder import RunFolder
from local.tools import POSTGRESQL, VALKEY, find

ADMIN = "rdsadmin"
OWNER = "owner"
APP = "app"
_BOUND = 60.0


class Server:
    """A process with a port; may be killed, frozen, and started again with the data it had."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.endpoint = _free_endpoint()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers; harmless if it runs already, and not frozen."""
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            return
        end = monotonic() + _BOUND
        while not self._answers():
            if monotonic() > end:
                raise AssertionError(f"{self.folder}: {(self.folder / 'log').read_text()[-2000:]}")
            if self._process is None or self._process.poll() is not None:
                # Children of a killed PostgreSQL may still hold its memory: then it ends, and is started again.
                self._process = self._spawn()
            sleep(0.05)

    def kill(self) -> None:
        """Ends at once, as when the machine is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(_BOUND)

    def freeze(self) -> None:
        """Keeps its connections open and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.thaw()
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_BOUND)

    def _spawn(self) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError

    def _popen(self, *command: str, account: Account) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                (*account.prefix, *command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=clean_environment(),
                user=account.uid,
                group=account.gid,
                extra_groups=None if account.uid is None else [],
            )


class PostgresServer(Server):
    """A main, or a replica that streams from one."""

    def __init__(self, folder: Path, main: PostgresServer | None = None) -> None:
        super().__init__(folder)
        folder.mkdir()
        self._programs = find(POSTGRESQL)
        self._account = unprivileged([self._programs.folder / "postgres", folder])
        self._account.give(folder)
        self.password: str = main.password if main else secrets.token_urlsafe(12)
        self._data = folder / "data"
        if main is None:
            self._initialize()
        else:
            self._copy(main)
        (self._data / "pg_hba.conf").write_text(
            "host all all 127.0.0.0/8 scram-sha-256\nhost replication all 127.0.0.0/8 scram-sha-256\n"
        )

    def _signal(self, number: signal.Signals) -> None:
        """To the process behind each connection too."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self.folder} does not run"
        for pid in tree(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Runs a statement as the superuser; what psql printed."""
        return self._run(
            "psql", "-XqtAw", "-v", "ON_ERROR_STOP=1", "-h", self.endpoint.host, "-p", str(self.endpoint.port),
            "-U", ADMIN, "-d", database, text=statement,
        ).strip()  # fmt: skip

    @property
    def knows_tls(self) -> bool:
        """Whether this build of PostgreSQL has TLS at all."""
        return self.sql("SHOW ssl_library") != ""

    def configure(self, setting: str, value: str) -> None:
        """Gives a setting another value, for all its processes."""
        self.sql(f"ALTER SYSTEM SET {setting} = '{value}'")
        self._reload()

    def promote(self, endpoint: Endpoint, slots: Iterable[str]) -> None:
        """Makes this replica the main, under the main's address: its data are as far as it has received.

        Args:
            endpoint: of the main that is gone.
            slots: of the replicas that will stream from this one.
        """
        self.sql("SELECT pg_promote()")
        for slot in slots:
            self.sql(f"SELECT pg_create_physical_replication_slot('{slot}', true)")
        self.stop()
        self.endpoint = endpoint
        self.start()

    def offer_tls(self, certificate: str, key: str) -> None:
        """Answers in TLS too, beside plaintext, with this certificate (PEM) from now on."""
        self._account.write(self._data / "server.crt", certificate)
        self._account.write(self._data / "server.key", key)
        self.sql("ALTER SYSTEM SET ssl = on")
        self._reload()

    def stop_tls(self) -> None:
        """Answers in plaintext only."""
        self.sql("ALTER SYSTEM RESET ssl")
        self._reload()

    def _reload(self) -> None:
        before = self.sql("SELECT pg_conf_load_time()")
        self.sql("SELECT pg_reload_conf()")
        end = monotonic() + _BOUND
        while self.sql("SELECT pg_conf_load_time()") == before:
            assert monotonic() < end, f"{self.folder} does not take its settings up"
            sleep(0.05)

    def _initialize(self) -> None:
        password_file = self.folder / "admin.password"
        self._account.write(password_file, self.password)
        self._run(
            "initdb", "-D", str(self._data), "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={password_file}",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions",
        )  # fmt: skip

    def _copy(self, main: PostgresServer) -> None:
        self._run(
            "pg_basebackup", "-D", str(self._data), "-h", main.endpoint.host, "-p", str(main.endpoint.port),
            "-U", ADMIN, "-w", "-R", "-X", "stream", "-C", "-S", self.folder.name, "-c", "fast",
        )  # fmt: skip

    def _run(self, program: str, *arguments: str, text: str = "") -> str:
        environment = clean_environment(PGPASSWORD=self.password)
        tool = OneShot(RunFolder(self.folder), self._account, environment, _BOUND)
        return tool.run((self._programs[program], *arguments), text)

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": self.endpoint.host,
            "port": str(self.endpoint.port),
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "16MB",
            "max_connections": "80",
            "log_statement": "ddl",
            "wal_receiver_timeout": "5s",
            "wal_retrieve_retry_interval": "200ms",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return self._popen(self._programs["postgres"], "-D", str(self._data), *options, account=self._account)

    def _answers(self) -> bool:
        try:
            return self.sql("SELECT 1") == "1"
        except Exception:  # noqa: BLE001  whatever psql says: not yet
            return False


class ValkeyServer(Server):
    """A store that keeps its data over a kill, with one user as ElastiCache gives it; or a replica of one."""

    def __init__(self, folder: Path, policy: str, primary: ValkeyServer | None = None) -> None:
        super().__init__(folder)
        folder.mkdir()
        self._program = find(VALKEY)["valkey-server"]
        self._account = unprivileged([Path(self._program), folder])
        self._account.give(folder)
        self.password: str = primary.password if primary else secrets.token_urlsafe(12)
        self._settings = folder / "valkey.conf"
        copies = f"replicaof {primary.endpoint.host} {primary.endpoint.port}\n" if primary else ""
        self._account.write(
            self._settings,
            f"bind {self.endpoint.host}\nport {self.endpoint.port}\ndir {folder}\nappendonly yes\nsave ''\n"
            f"maxmemory 64mb\nmaxmemory-policy {policy}\nrepl-diskless-sync-delay 0\n"
            f"user default off\nuser {APP} on >{self.password} ~* &* +@all -@admin\n"
            f"user replication on >{self.password} +psync +replconf +ping\n"
            f"masteruser replication\nmasterauth {self.password}\n{copies}",
        )

    def command(self, *words: str) -> bytes:
        """The raw reply to one command of the app's user: for tests that look into the store."""
        with socket.create_connection((self.endpoint.host, self.endpoint.port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(_resp("AUTH", APP, self.password) + _resp(*words) + _resp("PING"))
            reply = b""
            while not reply.endswith(b"+PONG\r\n"):
                received = connection.recv(65536)
                if not received:
                    raise ConnectionError(reply)
                reply += received
        return reply.removeprefix(b"+OK\r\n").removesuffix(b"+PONG\r\n")

    def _spawn(self) -> subprocess.Popen[bytes]:
        return self._popen(self._program, str(self._settings), account=self._account)

    def _answers(self) -> bool:
        with suppress(OSError):
            return self.command("PING") == b"+PONG\r\n"
        return False


class Stores:
    """Everything that an app reaches, and what a test needs to disturb it.

    Args:
        folder: empty, for this test run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.main = PostgresServer(folder / "main")
        self.main.start()
        self.main.sql(
            f"CREATE ROLE rds_superuser; GRANT pg_monitor TO rds_superuser WITH ADMIN OPTION;"
            f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB IN ROLE rds_superuser PASSWORD 'owner-password'"
        )
        self.replica = PostgresServer(folder / "replica", self.main)
        self.replicas = [self.replica]
        self.sessions = ValkeyServer(folder / "sessions", "noeviction")
        self.cache = ValkeyServer(folder / "cache", "allkeys-lru")
        self.replicas_file = folder / "replicas.json"
        self._password("owner", "owner-password")
        self.app_password_file = self._password("app", secrets.token_urlsafe(12))
        self.start()

    def start(self) -> None:
        """Brings back whatever a test has stopped, and the list of replicas."""
        for server in self.servers:
            server.start()
        self.list_replicas(*self.replicas)

    def add_replica(self, name: str) -> PostgresServer:
        """One more replica, in the list from now on."""
        added = PostgresServer(self._folder / name, self.main)
        added.start()
        self.replicas.append(added)
        self.list_replicas(*self.replicas)
        return added

    @property
    def servers(self) -> tuple[Server, ...]:
        return self.main, *self.replicas, self.sessions, self.cache

    def list_replicas(self, *replicas: Server) -> None:
        """Writes the list of replicas as the sidecar does."""
        new = self.replicas_file.with_suffix(".new")
        new.write_text(json.dumps([str(replica.endpoint) for replica in replicas]))
        new.replace(self.replicas_file)

    def make_database(self, name: str) -> None:
        """A database of its own for a test module; several of them can stand for several shards."""
        if not self.main.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
            self.main.sql(f"CREATE DATABASE {name} OWNER {OWNER}")

    def owner(self, database: str) -> ShardAccess:
        """Access as the owner of the schema."""
        file = str(self._folder / "owner.password")
        return ShardAccess(self.main.endpoint, database, OWNER, file, str(self.replicas_file))

    def shard(self, database: str) -> ShardAccess:
        """Access as the app."""
        return ShardAccess(self.main.endpoint, database, APP, self.app_password_file, str(self.replicas_file))

    def environment(self, *databases: str, public_url: str = "http://localhost:8080") -> Environment:
        """What the launcher would tell the app; one shard per database."""
        return Environment(
            project="goldfleet",
            stack="test",
            region="eu-central-1",
            instance_id="i-0123456789abcdef0",
            zone="eu-central-1a",
            release="0" * 64,
            public_url=public_url,
            host="127.0.0.1",
            port=free_port("127.0.0.1"),
            shards=tuple(self.shard(database) for database in databases),
            sessions=self._store(self.sessions),
            cache=self._store(self.cache),
            secrets_dir=str(self._folder),
        )

    def stop(self) -> None:
        for server in reversed(self.servers):
            server.stop()

    def _store(self, server: ValkeyServer) -> StoreAccess:
        return StoreAccess(server.endpoint, APP, self._password(server.folder.name, server.password))

    def _password(self, name: str, password: str) -> str:
        file = self._folder / f"{name}.password"
        file.write_text(password)
        return str(file)


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """One set of stores for the whole run; a test that stops one calls `start` when it is done."""
    made = Stores(tmp_path_factory.mktemp("stores"))
    yield made
    made.stop()


async def eventually(condition: Callable[[], Awaitable[Any]], seconds: float = 10.0) -> Any:
    """Waits until the condition is true, and returns what it said."""
    end = monotonic() + seconds
    while not (said := await condition()):
        assert monotonic() < end, f"not within {seconds} seconds"
        await asyncio.sleep(0.02)
    return said


def _free_endpoint() -> Endpoint:
    """An address of its own: while a killed server is away, no outgoing connection of this machine takes its port."""
    host = f"127.253.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
    return Endpoint(host, free_port(host))


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _resp(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

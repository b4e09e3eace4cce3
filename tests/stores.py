"""Real stores for tests: PostgreSQL with a streaming replica, and two Valkeys, all on loopback and short-lived.

A `conftest.py` gets them by `from tests.stores import stores`. Roles are as on RDS: the owner may make roles and
databases and is no superuser; the app's role is made by the migration.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from goldfleet.contract.environment import Environment, ShardAccess, StoreAccess
from tests.postgres_server import PostgresServer
from tests.server import APP, Server, free_port
from tests.valkey_server import ValkeyServer

OWNER = "owner"


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

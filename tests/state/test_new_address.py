"""After a failover the name of the main leads to another address: whoever had the old one finds the new one.

The process has an `/etc/hosts` of its own, in a mount namespace, and speaks verified TLS, as every name demands.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from goldfleet.contract.stores import Endpoint
from goldfleet.state.migrate import ensure_role, migrate
from local.certificates import issue
from tests.postgres_server import PostgresServer
from tests.server import APP
from tests.stores import Stores, eventually

DATABASE, NAME = "named", "main.database.test"
OLD, NEW = "127.253.250.1", "127.253.250.2"
PRIVATE = ("unshare", "--mount") if os.getuid() == 0 else ("unshare", "--mount", "--map-root-user")


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    """Not every machine lets a person have one."""
    probe = subprocess.run([*PRIVATE, "mount", "--bind", "/etc/hosts", "/etc/hosts"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no mount namespace on this machine: {probe.stderr.decode().strip()}")


@pytest.fixture
async def main(prepared: Stores, tmp_path: Path) -> PostgresServer:
    """The main of all tests here, with a database that knows it by name, in TLS."""
    if not prepared.main.knows_tls:
        pytest.skip("this PostgreSQL was built without TLS: install the system's")
    prepared.make_database(DATABASE)
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY, text text NOT NULL);")
    await migrate(prepared.owner(DATABASE), migrations)
    await ensure_role(prepared.owner(DATABASE), APP, Path(prepared.app_password_file))
    return prepared.main


@contextmanager
def moved(main: PostgresServer, host: str) -> Iterator[None]:
    """The same data and port at another address, for as long as the block lasts."""
    before = main.endpoint
    _move(main, Endpoint(host, before.port))
    try:
        yield
    finally:
        _move(main, before)


def _move(main: PostgresServer, endpoint: Endpoint) -> None:
    main.kill()
    main.endpoint = endpoint
    main.start()


@contextmanager
def writing(main: PostgresServer, stores: Stores, hosts: Path, authority: Path, told: Path) -> Iterator[None]:
    """A process that knows the main by name writes what it is answered to `told`."""
    access = stores.shard(DATABASE)
    arguments = (NAME, str(main.endpoint.port), DATABASE, access.username, access.password_file, access.replicas_file)
    command = f'mount --bind {hosts} /etc/hosts && exec {sys.executable} -m tests.state.named_writer "$@"'
    with told.open("w") as output:
        process = subprocess.Popen(
            [*PRIVATE, "sh", "-c", command, "sh", *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SSL_CERT_FILE": str(authority)},
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_writes_go_on_where_the_name_leads_now(main: PostgresServer, prepared: Stores, tmp_path: Path) -> None:
    hosts, told = tmp_path / "hosts", tmp_path / "told"
    main.offer_tls(*issue(tmp_path, NAME))
    hosts.write_text(f"{OLD} {NAME}\n")

    async def written(address: str) -> bool:
        return any(line.endswith(f" {address}") for line in told.read_text().splitlines())

    try:
        with moved(main, OLD), writing(main, prepared, hosts, tmp_path / "ca.pem", told):
            await eventually(lambda: written(OLD), 30)
            with moved(main, NEW):
                assert not await written(NEW)
                hosts.write_text(f"{NEW} {NAME}\n")
                await eventually(lambda: written(NEW), 30)
        lines = told.read_text().splitlines()
        acknowledged = [line.split()[0] for line in lines if not line.startswith("down")]
        assert len(acknowledged) < len(lines)  # it has seen the main away
        kept = main.sql(f"SELECT count(*) FROM notes WHERE id IN ({','.join(acknowledged)})", DATABASE)
        assert int(kept) == len(acknowledged)
    finally:
        main.stop_tls()

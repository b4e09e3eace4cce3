"""A PostgreSQL server for tests. Its superuser is as RDS names it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from goldfleet.contract.stores import Endpoint
from local.accounts import unprivileged
from local.plane.actor import OneShot, clean_environment
from local.processes import tree, wait_until
from local.run_folder import RunFolder
from local.tools import POSTGRESQL, find
from tests.server import BOUND, Server

ADMIN = "rdsadmin"


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

    def pause_replay(self) -> None:
        """Lets this replica receive and not replay, from now on: the pause has begun when this returns."""
        self.sql("SELECT pg_wal_replay_pause()")
        paused = wait_until(lambda: self.sql("SELECT pg_get_wal_replay_pause_state()") == "paused", BOUND)
        assert paused, "still replays"

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
        end = monotonic() + BOUND
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
        tool = OneShot(RunFolder(self.folder), self._account, environment, BOUND)
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

"""PostgreSQL in RDS's place: a main from `initdb`, replicas from a base backup that stream from it.

Each server has its folder `stores/rds-ID/`: `data/`, its settings, the password file of `rdsadmin`, its log. A data
folder gets its name only when it is complete, so a start that was cut off begins anew and loses nothing. Making one
does not wait for the disk: it only has to outlive processes, not the machine. The servers themselves keep `fsync`.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import subprocess
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local import certificates, processes
from local.accounts import Account, unprivileged
from local.plane import postgres_files as files
from local.plane.actor import OneShot, StorageGone, clean_environment, end, remove_data, wait_ready
from local.plane.address import Address
from local.plane.wanted import Database, Main
from local.processes import Program, spawn
from local.run_folder import RunFolder
from local.tools import POSTGRESQL, Programs, find

_STOP = 10.0
_TOOL = 60.0
_COPY = 300.0
_QUERY = 10.0


class Postgres:
    """The actor for databases.

    Args:
        folder: the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._found: tuple[Programs, Account] | None = None
        self._made: set[str] = set()

    def start(self, spec: Database) -> subprocess.Popen[bytes]:
        home = self._home(spec.identifier)
        programs, account = self._tools()
        account.make_folder(home)
        if not (home / "data").exists():
            if spec.identifier in self._made:
                # An empty main in its place would look as if nothing had ever been written.
                raise StorageGone(spec.name, "its storage is gone", "docs/runbooks/promote-a-replica.md")
            self._make_data(spec, home)
        self._made.add(spec.identifier)
        self._configure(spec, home)
        process = spawn(
            self._folder,
            Program(
                name=spec.name,
                command=(programs["postgres"], "-D", str(home / "data"), "-c", f"config_file={home}/postgresql.conf"),
                cwd=home,
                output=home / "log",
                environment=clean_environment(),
                account=account,
            ),
        )
        wait_ready(process, lambda: self._answers(spec), home / "log")
        if spec.source is None:
            self._tell(spec.address, spec.identifier, files.become_main(spec))
        return process

    def change(self, process: subprocess.Popen[bytes], before: Database, spec: Database) -> subprocess.Popen[bytes]:
        if spec.zone != before.zone:
            end(process, signal.SIGKILL, _STOP)
            return self.start(spec)
        if spec.address != before.address or spec.source not in (before.source, None):
            end(process, signal.SIGINT, _STOP)
            return self.start(spec)
        if spec.source is None:
            self._configure(spec, self._home(spec.identifier))
            self._tell(spec.address, spec.identifier, files.become_main(spec))
        return process

    def stop(self, process: subprocess.Popen[bytes] | None, spec: Database, *, forget: bool) -> None:
        end(process, signal.SIGINT, _STOP)
        processes.forget(self._folder, spec.name)
        if forget:
            self._made.discard(spec.identifier)
            if spec.source is not None:
                self._drop_slot(spec, spec.source)
            remove_data(self._home(spec.identifier))

    def _tools(self) -> tuple[Programs, Account]:
        if self._found is None:
            programs = find(POSTGRESQL)
            self._found = programs, unprivileged([programs.folder / "postgres", self._folder.stores])
        return self._found

    def _home(self, identifier: str) -> Path:
        return self._folder.stores / f"rds-{identifier}"

    def _make_data(self, spec: Database, home: Path) -> None:
        draft = home / "data.new"
        remove_data(draft)
        if spec.source is None:
            self._make_main(spec, home, draft)
        else:
            self._copy_main(spec, spec.source, home, draft)
        draft.rename(home / "data")

    def _make_main(self, spec: Database, home: Path, draft: Path) -> None:
        programs, account = self._tools()
        password = secrets.token_urlsafe(24)
        account.write(home / "passfile", files.passfile(password))
        initdb = (
            programs["initdb"], "-D", str(draft), "-U", files.ADMIN, "--auth=reject", "--data-checksums",
            "--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=4", "--no-instructions", "--no-sync",
        )  # fmt: skip
        tool = OneShot(self._folder, account, clean_environment(), _TOOL)
        tool.run(initdb)
        single = (programs["postgres"], "--single", "-j", "-D", str(draft), "-c", "exit_on_error=on", "postgres")
        tool.run(single, files.bootstrap(spec, password))

    def _copy_main(self, spec: Database, main: Main, home: Path, draft: Path) -> None:
        programs, account = self._tools()
        account.write(home / "passfile", (self._home(main.identifier) / "passfile").read_text())
        self._tell(main.address, spec.identifier, files.make_slot(spec))
        copy = (
            programs["pg_basebackup"], "-D", str(draft), "-h", main.address.host, "-p", str(main.address.port),
            "-U", files.ADMIN, "-w", "-X", "stream", "-S", files.slot(spec), "-c", "fast",
            "--no-sync",
        )  # fmt: skip
        OneShot(self._folder, account, self._client_environment(spec.identifier), _COPY).run(copy)
        account.write(draft / "standby.signal", "")

    def _configure(self, spec: Database, home: Path) -> None:
        _, account = self._tools()
        upstream = None
        if spec.source is not None:
            upstream = files.upstream(spec.source.address, str(home / "passfile"), spec)
        account.write(home / "pg_hba.conf", files.client_authentication())
        certificate = self._certificate(spec.address, home)
        text = files.configuration(spec, str(home / "pg_hba.conf"), upstream, certificate)
        account.write(home / "postgresql.conf", text)

    def _certificate(self, address: Address, home: Path) -> tuple[str, str] | None:
        programs, account = self._tools()
        ask = (programs["postgres"], "-D", str(home / "data"), "-C", "ssl_library")
        if not OneShot(self._folder, account, clean_environment(), _TOOL).run(ask).strip():
            return None
        certificate, key = home / "server.pem", home / "server.key"
        if not certificate.exists():
            certificate_text, key_text = certificates.issue(self._folder.stores, address.host)
            account.write(key, key_text)
            account.write(certificate, certificate_text)
        return str(certificate), str(key)

    def _drop_slot(self, spec: Database, main: Main) -> None:
        # A main that is gone took its slots along.
        with contextlib.suppress(LocalCloudError):
            self._tell(main.address, spec.identifier, files.drop_slot(spec))

    def _answers(self, spec: Database) -> bool:
        try:
            self._tell(spec.address, spec.identifier, "SELECT 1;\n")
        except LocalCloudError:
            return False
        return True

    def _tell(self, address: Address, identifier: str, statements: str) -> None:
        programs, account = self._tools()
        command = (
            programs["psql"], "-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-h", address.host, "-p", str(address.port),
            "-U", files.ADMIN, "-d", "postgres", "-o", "/dev/null",
        )  # fmt: skip
        OneShot(self._folder, account, self._client_environment(identifier), _QUERY).run(command, statements)

    def _client_environment(self, identifier: str) -> dict[str, str]:
        return clean_environment(PGPASSFILE=str(self._home(identifier) / "passfile"), PGCONNECT_TIMEOUT="3")

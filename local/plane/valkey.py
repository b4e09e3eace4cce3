"""Valkey in ElastiCache's place: one server for each node of a replication group.

Each has its folder `stores/elasticache-NODE/`: `data/`, its settings, its users, its log. The nodes of a group share
the password of the internal user, kept in `stores/elasticache-group-GROUP.password`.
"""

from __future__ import annotations

import secrets
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import valkey

from local import processes
from local.accounts import Account, unprivileged
from local.plane import valkey_files as files
from local.plane.actor import clean_environment, end, remove_data, wait_ready
from local.plane.wanted import StoreNode
from local.processes import Program, spawn
from local.run_folder import RunFolder, write_private
from local.tools import VALKEY, Programs, find

_STOP = 5.0
_REPLY = 2.0


class Valkey:
    """The actor for nodes of replication groups.

    Args:
        folder: the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._found: tuple[Programs, Account] | None = None
        self._one_password = threading.Lock()

    def start(self, spec: StoreNode) -> subprocess.Popen[bytes]:
        """Starts a new node: a replica copies its primary, a primary starts cold, unless replicas kept its data."""
        if not spec.keeps_data:
            remove_data(self._home(spec) / "data")
        return self._start(spec)

    def _start(self, spec: StoreNode) -> subprocess.Popen[bytes]:
        home, (programs, account) = self._home(spec), self._tools()
        account.make_folder(home)
        account.make_folder(home / "data")
        self._configure(spec)
        process = spawn(
            self._folder,
            Program(
                name=spec.name,
                command=(programs["valkey-server"], str(home / "valkey.conf")),
                cwd=home,
                output=home / "log",
                environment=clean_environment(),
                account=account,
            ),
        )
        wait_ready(process, lambda: self._info(spec, "persistence").get("loading") == 0, home / "log")
        return process

    def change(self, process: subprocess.Popen[bytes], before: StoreNode, spec: StoreNode) -> subprocess.Popen[bytes]:
        if before.primary is not None and spec.primary is None:
            self._promote(spec)
            before = files.promoted(before, spec)
        live = files.changes(before, spec)
        if live is None:
            end(process, signal.SIGTERM, _STOP)
            return self._start(spec)
        self._configure(spec)
        with self._client(spec) as client:
            client.execute_command("ACL LOAD")
            for name, value in live.items():
                client.config_set(name, value)
        return process

    def stop(self, process: subprocess.Popen[bytes] | None, spec: StoreNode, *, forget: bool) -> None:
        # What is to be forgotten needs no goodbye; a failed primary must let go of its address at once.
        end(process, signal.SIGKILL if forget else signal.SIGTERM, _STOP)
        processes.forget(self._folder, spec.name)
        if forget:
            remove_data(self._home(spec))

    def info(self, spec: StoreNode) -> dict[str, Any]:
        """What the server says of its replication, or nothing while it does not answer."""
        return self._info(spec, "replication")

    def _promote(self, spec: StoreNode) -> None:
        """Takes writes from now on, and then the group's address: nobody reaches it there before."""
        with self._client(spec) as client:
            client.execute_command("REPLICAOF", "NO", "ONE")
            client.config_set("bind", files.hosts(spec))

    def _tools(self) -> tuple[Programs, Account]:
        if self._found is None:
            programs = find(VALKEY)
            self._found = programs, unprivileged([programs.folder / "valkey-server", self._folder.stores])
        return self._found

    def _home(self, spec: StoreNode) -> Path:
        return self._folder.stores / spec.name

    def _configure(self, spec: StoreNode) -> None:
        home, (_, account) = self._home(spec), self._tools()
        password = self._password(spec.group)
        account.write(home / "users.acl", files.users(spec, password))
        account.write(home / "valkey.conf", files.configuration(spec, home, password))

    def _password(self, group: str) -> str:
        path = self._folder.stores / f"elasticache-group-{group}.password"
        with self._one_password:
            if not path.exists():
                write_private(path, secrets.token_urlsafe(24))
            return path.read_text()

    def _info(self, spec: StoreNode, section: str) -> dict[str, Any]:
        """What the server says, or nothing while it does not answer."""
        try:
            with self._client(spec) as client:
                return dict(client.info(section))
        except (valkey.exceptions.ValkeyError, OSError):
            return {}

    def _client(self, spec: StoreNode) -> valkey.Valkey:
        return valkey.Valkey(
            spec.address.host,
            spec.address.port,
            username=files.INTERNAL_USER,
            password=self._password(spec.group),
            socket_timeout=_REPLY,
            socket_connect_timeout=_REPLY,
        )

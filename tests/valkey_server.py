"""A Valkey server for tests."""

from __future__ import annotations

import secrets
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

from local.accounts import unprivileged
from local.tools import VALKEY, find
from tests.server import APP, Server


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


def _resp(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

"""A server that tests start on loopback, and that they may kill and freeze."""

from __future__ import annotations

import secrets
import signal
import socket
import subprocess
from pathlib import Path
from time import monotonic, sleep

from goldfleet.contract.stores import Endpoint
from local.accounts import Account
from local.plane.actor import clean_environment

APP = "app"
"""The role of the app, on every server."""
BOUND = 60.0
"""Seconds that a server has to start, to stop, and to do what it is told."""


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
        end = monotonic() + BOUND
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
        self._process.wait(BOUND)

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
            self._process.wait(BOUND)

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


def _free_endpoint() -> Endpoint:
    """An address of its own: while a killed server is away, no outgoing connection of this machine takes its port."""
    host = f"127.253.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
    return Endpoint(host, free_port(host))


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port

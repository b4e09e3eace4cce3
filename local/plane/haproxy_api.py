"""HAProxy's runtime API: servers in, out and how they are.

Source: HAProxy 2.8 management guide, "Unix Socket commands".
"""

from __future__ import annotations

import csv
import io
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local.plane.haproxy_config import server_lines
from local.plane.request_log import FAIL_OPEN
from local.plane.wanted_balancing import Target, TargetGroup

_ANSWER = 3.0
_BLOCK = 65536
_BACKEND = "BACKEND"
_GONE = "No such server."
_STILL_CONNECTED = "Server still has connections attached to it, cannot remove it."
FAILED, TIMEOUT, MISMATCH = "Target.FailedHealthChecks", "Target.Timeout", "Target.ResponseCodeMismatch"
"""ELBv2, "Target health reason codes"."""
_REASONS = {"L4TOUT": TIMEOUT, "L7TOUT": TIMEOUT, "L7STS": MISMATCH}


@dataclass(frozen=True)
class Server:
    """One server of a backend.

    Args:
        up: its health check passes.
        reason: ELBv2's code for why it does not.
        status: the HTTP status that it got, if that is why.
        open: requests that it is working on.
    """

    up: bool
    reason: str = ""
    status: str = ""
    open: int = 0


@dataclass(frozen=True)
class Inventory:
    """What HAProxy has: names of its backends, and servers by names of backend and server."""

    backends: frozenset[str] = frozenset()
    servers: Mapping[tuple[str, str], Server] = field(default_factory=dict)


@dataclass(frozen=True)
class RuntimeApi:
    """The API on a unix socket; every call raises LocalCloudError if HAProxy does not answer or refuses."""

    path: Path

    def answers(self) -> bool:
        return self.worker() is not None

    def worker(self) -> str | None:
        """Process id of the worker that answers, or None."""
        try:
            lines = self._ask("show info").splitlines()
        except LocalCloudError:
            return None
        return next((line.partition(": ")[2] for line in lines if line.startswith("Pid: ")), None)

    def inventory(self) -> Inventory:
        """All backends and servers."""
        text = self._ask("show stat -1 6 -1").removeprefix("# ")
        rows = list(csv.DictReader(io.StringIO(text.strip())))
        servers = {(row["pxname"], row["svname"]): _server(row) for row in rows if row["svname"] != _BACKEND}
        return Inventory(frozenset(row["pxname"] for row in rows if row["svname"] == _BACKEND), _targets(servers))

    def add(self, target: Target, group: TargetGroup) -> None:
        """Puts a target into rotation; it counts as healthy until its checks say otherwise."""
        for name, line in server_lines(target, group).items():
            server = f"{group.name}/{name}"
            self._command(f"add server {server} {line}", "New server registered.")
            if name == target.instance_id:
                self._command(f"enable health {server}")
            self._command(f"enable server {server}")

    def drain(self, backend: str, server: str) -> None:
        """No new requests; those that run go on."""
        for name in (server + FAIL_OPEN, server):
            self._command(f"set server {backend}/{name} state drain")

    def remove(self, backend: str, server: str) -> None:
        """Takes a server away, unless it is still there afterwards because its connections close a moment later.

        What still runs on it is cut off: no target can keep its place by not answering.
        """
        for name in (server + FAIL_OPEN, server):
            if self._ask(f"set server {backend}/{name} state maint").strip() == _GONE:
                continue  # the last try came only so far
            self._command(f"shutdown sessions server {backend}/{name}")
            self._command(f"del server {backend}/{name}", "Server deleted.", _STILL_CONNECTED)

    def _command(self, command: str, *expected: str) -> None:
        said = self._ask(command).strip()
        if said not in (expected or ("",)):
            raise LocalCloudError("haproxy", f"'{command}' answered: {said}", "read the balancer's log")

    def _ask(self, command: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_ANSWER)
                connection.connect(str(self.path))
                connection.sendall(f"{command}\n".encode())
                blocks = list(iter(lambda: connection.recv(_BLOCK), b""))
        except OSError as error:
            raise LocalCloudError("haproxy", f"does not answer ({error})", "read the balancer's log") from error
        return b"".join(blocks).decode()


def _server(row: dict[str, str]) -> Server:
    up = row["status"].startswith(("UP", "no check", "DRAIN"))
    open_requests = int(row["scur"] or 0)
    if up:
        return Server(up=True, open=open_requests)
    reason = _REASONS.get(row["check_status"].removeprefix("* "), FAILED)
    return Server(up=False, reason=reason, status=row["check_code"] if reason == MISMATCH else "", open=open_requests)


def _targets(servers: Mapping[tuple[str, str], Server]) -> dict[tuple[str, str], Server]:
    """One server per target: as healthy as its checks say, with the requests of both."""
    targets = {}
    for (backend, name), server in servers.items():
        if not name.endswith(FAIL_OPEN):
            twin = servers.get((backend, name + FAIL_OPEN), Server(up=True))
            targets[backend, name] = replace(server, open=server.open + twin.open)
    return targets

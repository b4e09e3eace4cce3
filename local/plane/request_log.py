"""Every request that the balancer has answered: HAProxy says a line of each, and here they are counted.

Source: HAProxy 2.8 configuration manual, "Custom log format": `%f` frontend, `%b` backend, `%s` server, `%ST` status,
`%Tr` milliseconds until the server's answer, -1 if there was none.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.accounts import Account

FAIL_OPEN = ".open"
"""After a target's name: the server that it is while no target is healthy."""
LOG_FORMAT = "request %f %b %s %ST %Tr"
_NO_SERVER = "<NOSRV>"
_LINE = 1024
_BUFFER = 4 * 1024 * 1024


@dataclass(frozen=True)
class Answered:
    """How a request went.

    Args:
        load_balancer, target_group: their names; the group is empty if the balancer answered by itself.
        target: instance id, empty if none was chosen.
        status: of the answer; below 100 if there was none.
        milliseconds: until the target's answer, None if it gave none.
    """

    load_balancer: str
    target_group: str
    target: str
    status: int
    milliseconds: int | None


class RequestLog:
    """Counts the lines that arrive at a socket.

    Args:
        path: of the socket.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._counted: Counter[Answered] = Counter()
        self._socket: socket.socket | None = None

    def open(self, account: Account) -> None:
        """Makes the socket, writable for `account`, and begins to count; its folder must exist."""
        if self._socket is not None:
            return
        self.path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind(str(self.path))
        account.give(self.path)
        threading.Thread(target=self._count, args=(self._socket,), name="requests", daemon=True).start()

    def take(self) -> Counter[Answered]:
        """What was counted since the last call."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        return counted

    def _count(self, lines: socket.socket) -> None:
        with suppress(OSError):
            while True:
                answered = parse(lines.recv(_LINE))
                if answered is not None:
                    with self._lock:
                        self._counted[answered] += 1


def parse(line: bytes) -> Answered | None:
    """What a line says; None if it is about something else than a request."""
    words = line.decode(errors="replace").split()
    if len(words) != 6 or words[0] != "request":
        return None
    _, frontend, backend, server, status, waited = words
    balancer = frontend.rpartition(":")[0]
    return Answered(
        load_balancer=balancer,
        target_group="" if backend == frontend else backend,
        target="" if server == _NO_SERVER else server.removesuffix(FAIL_OPEN),
        status=int(status),
        milliseconds=None if waited.startswith("-") else int(waited),
    )


def to_report(counted: Counter[Answered]) -> list[dict[str, Any]]:
    """As the control plane wants to be told."""
    return [
        {
            "load_balancer": each.load_balancer,
            "target_group": each.target_group,
            "target": each.target,
            "status": each.status,
            "seconds": None if each.milliseconds is None else each.milliseconds / 1000,
            "count": count,
        }
        for each, count in counted.items()
    ]

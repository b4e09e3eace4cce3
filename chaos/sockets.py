"""Who of this machine is connected to an address, as the kernel tells.

Source: proc(5), `/proc/net/tcp` and `/proc/PID/fd`.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_ESTABLISHED = "01"


@dataclass(frozen=True)
class Connection:
    """One end of an open connection.

    Args:
        port: of this end.
        remote: address and port of the other end.
        inode: of this end's socket.
    """

    port: int
    remote: tuple[str, int]
    inode: int


def opened(table: str) -> Iterator[Connection]:
    """The open connections of a text like `/proc/net/tcp`."""
    for line in table.splitlines()[1:]:
        _, local, remote, state, *_, inode = line.split()[:10]
        if state == _ESTABLISHED:
            yield Connection(_endpoint(local)[1], _endpoint(remote), int(inode))


def ports_of_others(host: str, pids: Iterable[int]) -> set[int]:
    """Ports of the connections to an address that none of these processes holds.

    Args:
        host: dotted IPv4 address of the server.
        pids: processes whose connections do not count.
    """
    theirs = {inode for pid in pids for inode in _sockets(pid)}
    table = (_PROC / "net" / "tcp").read_text()
    return {each.port for each in opened(table) if each.remote[0] == host and each.inode not in theirs}


def _endpoint(text: str) -> tuple[str, int]:
    address, port = text.split(":")
    return socket.inet_ntoa(struct.pack("=I", int(address, 16))), int(port, 16)


def _sockets(pid: int) -> Iterator[int]:
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            yield int(target[len("socket:[") : -1])

"""The sockets that wait for others, as the kernel lists them, and why each may. Decides only.

Source: Linux man-pages, proc(5), "/proc/net/tcp", "/proc/net/udp"; include/net/tcp_states.h.
"""

from __future__ import annotations

import ipaddress
import struct
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

LISTENERS = Path(__file__).with_name("listeners.toml")
PROTOCOLS = ("tcp", "tcp6", "udp", "udp6")
_LISTEN, _UNCONNECTED = "0A", "07"


@dataclass(frozen=True)
class Socket:
    """One that waits for others.

    Args:
        protocol: tcp or udp.
        address, port: where it waits.
        outside: it can be reached from other machines, as far as its address says.
        reason: why it may; empty: nobody has said.
    """

    protocol: str
    address: str
    port: int
    outside: bool
    reason: str


def listening(tables: Mapping[str, str], reasons: Mapping[tuple[str, int], str]) -> list[Socket]:
    """All that wait.

    Args:
        tables: the text of `/proc/net/<protocol>` for each of `PROTOCOLS`.
        reasons: protocol and port -> why.
    """
    found = set()
    for name, text in tables.items():
        protocol = name.removesuffix("6")
        for address, port in _waiting(text.splitlines()[1:], _LISTEN if protocol == "tcp" else _UNCONNECTED):
            outside = not ipaddress.ip_address(address).is_loopback
            found.add(Socket(protocol, address, port, outside, reasons.get((protocol, port), "")))
    return sorted(found, key=lambda socket: (socket.protocol, socket.port, socket.address))


def reasons(path: Path = LISTENERS) -> dict[tuple[str, int], str]:
    """The list of those that may wait."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["listener"]
    return {(row["protocol"], row["port"]): row["reason"] for row in rows}


def _waiting(lines: Iterable[str], state: str) -> Iterable[tuple[str, int]]:
    for line in lines:
        _, local, remote, found, *_ = line.split()
        # A UDP socket in this state whose other end is known is bound, but asks one server only.
        if found == state and not remote.strip("0:"):
            address, _, port = local.partition(":")
            yield _address(address), int(port, 16)


def _address(text: str) -> str:
    """The kernel writes 32-bit words in the machine's byte order."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    return str(ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)))

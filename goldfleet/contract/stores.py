"""Where a store answers, and whether it may be spoken to in clear."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

DATABASE_POOL = 8
"""Connections that one clone holds to one database server, at most."""


@dataclass(frozen=True)
class Endpoint:
    """A host name or address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def needs_tls(host: str) -> bool:
    """True unless `host` is a loopback address: anything that leaves the machine is encrypted and verified.

    A name is never taken for loopback, whatever it resolves to.
    """
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True

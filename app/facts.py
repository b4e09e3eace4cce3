"""Who answered a request, and from where: shown in the footer of each page and in the headers of each answer."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from goldfleet.state.database import MAIN

NONE = "none"
RELEASE_SHOWN = 12
"""Digits of a release's digest that are enough for a person."""

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that this task works on; log lines carry it."""


@dataclass
class Facts:
    """What is known about one answer; grows while the request is worked on.

    Args:
        instance_id, zone, release: the clone.
        request_id: 16 hexadecimal digits, also in the log lines of this request.
        session: `sessions store`, `unavailable` or `none`.
        cache: `hit`, `miss` or `none`.
        cache_milliseconds: what the look-up took, including the fill.
        servers: the database servers that answered reads: `main`, `replica`.
    """

    instance_id: str
    zone: str
    release: str
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    session: str = NONE
    cache: str = NONE
    cache_milliseconds: float | None = None
    servers: set[str] = field(default_factory=set)

    @property
    def short_release(self) -> str:
        return self.release[:RELEASE_SHOWN]

    def read_from(self, server: str) -> None:
        """Notes a read; which of the replicas it was is nobody's business outside."""
        self.servers.add(server if server == MAIN else "replica")

    @property
    def database(self) -> str:
        return ", ".join(sorted(self.servers)) or NONE

    @property
    def profile(self) -> str:
        if self.cache_milliseconds is None:
            return "not asked for"
        return f"cache {self.cache}, {self.cache_milliseconds:.2f} ms"

    def headers(self) -> dict[str, str]:
        """The same facts as response headers."""
        headers = {
            "X-Request-Id": self.request_id,
            "X-Goldfleet-Instance": self.instance_id,
            "X-Goldfleet-Zone": self.zone,
            "X-Goldfleet-Release": self.release,
            "X-Goldfleet-Session": self.session,
            "X-Goldfleet-Cache": self.cache,
            "X-Goldfleet-Database": self.database,
        }
        if self.cache_milliseconds is not None:
            headers["X-Goldfleet-Cache-Milliseconds"] = f"{self.cache_milliseconds:.2f}"
        return headers


def of(scope: Any) -> Facts:
    """The facts of the request that an ASGI scope belongs to."""
    facts: Facts = scope["state"]["facts"]
    return facts

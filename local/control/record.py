"""Every AWS call so far: what golden requests, the deploy policy and whoever debugs want to read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from local.control.calls import Call

LIMIT = 5000
"""Calls that are kept; the oldest go first."""
BODY_LIMIT = 64 * 1024
"""Bytes of a body that is kept; the parameters of larger ones are not."""


@dataclass(frozen=True)
class Entry:
    """One call and how it went."""

    call: Call
    status: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """`{"service", "action", "parameters", "status", "seconds"}`, secrets redacted."""
        return {
            "service": self.call.service,
            "action": self.call.action,
            "parameters": self.call.parameters(),
            "status": self.status,
            "seconds": round(self.seconds, 6),
        }


class Record:
    """A bounded list of calls."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LIMIT)

    def add(self, call: Call, status: int, seconds: float) -> None:
        """Keeps one call."""
        if len(call.body) > BODY_LIMIT:
            call = Call(call.service, call.action, call.environ, b"")
        self._entries.append(Entry(call, status, seconds))

    def to_json(self) -> list[dict[str, Any]]:
        """The calls, oldest first."""
        return [entry.to_json() for entry in list(self._entries)]

    def clear(self) -> None:
        """Forgets all calls."""
        self._entries.clear()

"""Entries of the journal -> lines to ship. Decides only.

What the image's own units write is JSON lines and stays as it is; all else becomes such a line.
Source: systemd.journal-fields(7); journalctl(1), "--output=json": a field that is no UTF-8 is a list of bytes, one that
is too long is null.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

OWN_UNITS = "goldfleet-"
LEVELS = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")
"""Of a priority, 0 to 7 (syslog(3))."""
NOTICE = 5


@dataclass(frozen=True)
class Entry:
    """One entry: its place in the journal, and the line to ship with its end."""

    cursor: str
    line: bytes


def parse(text: bytes) -> Entry | None:
    """The entry of one line of journalctl's output; None if it is none."""
    try:
        fields = json.loads(text)
        cursor = str(fields["__CURSOR"])
        line = _line(fields)
    except (ValueError, KeyError, TypeError):
        return None
    return Entry(cursor, line.encode(errors="replace") + b"\n")


def _line(fields: dict[str, Any]) -> str:
    message = _text(fields.get("MESSAGE"))
    unit = _text(fields.get("_SYSTEMD_UNIT"))
    if unit.startswith(OWN_UNITS):
        return message.replace("\n", " ")
    return json.dumps(_described(fields, unit, message))


def _described(fields: dict[str, Any], unit: str, message: str) -> dict[str, object]:
    time = datetime.fromtimestamp(int(fields["__REALTIME_TIMESTAMP"]) / 1_000_000, UTC)
    priority = int(_text(fields.get("PRIORITY")) or NOTICE)
    described: dict[str, object] = {
        "time": time.isoformat(timespec="milliseconds"),
        "level": LEVELS[min(max(priority, 0), len(LEVELS) - 1)],
        "logger": _text(fields.get("SYSLOG_IDENTIFIER")) or unit or "journal",
        "message": message,
        "priority": priority,
        "unit": _text(fields.get("UNIT")) or unit,
    }
    return {name: value for name, value in described.items() if value != ""}


def _text(value: object) -> str:
    if isinstance(value, list):
        return bytes(value).decode(errors="replace")
    return "" if value is None else str(value)

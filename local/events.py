"""What happened locally: one JSON object a line, appended by several processes, bounded in size.

A line: `{"time": seconds since 1970, "kind": verb in the past, "subject": what it happened to, "text": one sentence}`
and further fields by kind. Lines are written one at a time under a lock, in the order of their times. When the file is
full, the older half goes: what is kept is the news, not an archive.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIZE_LIMIT = 4 * 1024 * 1024
_LINE_LIMIT = 8 * 1024
_TEXT_LIMIT = 1024
_POLL = 0.2


@dataclass(frozen=True)
class Events:
    """The events of one run.

    Args:
        path: the file; made when the first event is recorded.
        size_limit: bytes that the file may have.
    """

    path: Path
    size_limit: int = SIZE_LIMIT

    def record(self, kind: str, subject: str, text: str, **fields: Any) -> None:
        """Appends one event; a text that is too long is cut."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            line = _line({"time": time.time(), "kind": kind, "subject": subject, "text": text, **fields})
            if file.seek(0, os.SEEK_END) + len(line) > self.size_limit:
                _drop_older_half(file)
            file.write(line)

    def read(self) -> list[dict[str, Any]]:
        """All events that are kept, oldest first."""
        return [event for event, _ in self._from(0)]

    def follow(self, stop: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """Yields what is kept, then what comes, until `stop()` is true; each event once, unless it was dropped."""
        offset, latest = 0, 0.0
        while True:
            stopped = stop()
            if offset > self._size():
                offset = 0
            for event, after in self._from(offset):
                offset = after
                if event["time"] > latest:
                    latest = event["time"]
                    yield event
            if stopped:
                return
            time.sleep(_POLL)

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _from(self, offset: int) -> Iterator[tuple[dict[str, Any], int]]:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset += len(line)
                yield json.loads(line), offset


def _line(event: dict[str, Any]) -> bytes:
    line = json.dumps(event, default=str).encode()
    if len(line) > _LINE_LIMIT:
        line = json.dumps(
            {name: str(event[name])[:_TEXT_LIMIT] for name in ("kind", "subject", "text")} | {"time": event["time"]}
        ).encode()
    return line + b"\n"


def _drop_older_half(file: Any) -> None:
    file.seek(0)
    lines = file.read().splitlines(keepends=True)
    file.truncate(0)
    file.write(b"".join(lines[len(lines) // 2 :]))

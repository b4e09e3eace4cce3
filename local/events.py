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
from contextlib import closing, contextmanager
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
        with self._locked() as file:
            line = _line({"time": time.time(), "kind": kind, "subject": subject, "text": text, **fields})
            if file.seek(0, os.SEEK_END) + len(line) > self.size_limit:
                self._replace(_newer_half(file) + line)
            else:
                file.write(line)

    def read(self) -> list[dict[str, Any]]:
        """All events that are kept, oldest first."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            return list(_next_events(file))

    def follow(self, stop: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """Yields what is kept, then what comes, until `stop()` is true; each event once, unless it was dropped."""
        following = True
        with closing(_Reader(self.path)) as reader:
            while following:
                following = not stop()
                yield from reader.news()
                if following:
                    time.sleep(_POLL)

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "r+b", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if _is_at(file, self.path):
                    yield file
                    return

    def _replace(self, content: bytes) -> None:
        # A file of its own, so that a reader is never in the middle of what moves under it.
        successor = self.path.with_suffix(".next")
        descriptor = os.open(successor, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        successor.replace(self.path)


class _Reader:
    """Reads on from where it was; finishes a file that was replaced before it opens the successor."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._latest = 0.0

    def news(self) -> Iterator[dict[str, Any]]:
        if self._file is None:
            yield from self._open()
            return
        replaced = not _is_at(self._file, self._path)
        yield from self._unseen()
        if replaced:
            yield from self._open()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> Iterator[dict[str, Any]]:
        self.close()
        if self._path.exists():
            self._file = self._path.open("rb")
            yield from self._unseen()

    def _unseen(self) -> Iterator[dict[str, Any]]:
        for event in _next_events(self._file):
            if event["time"] > self._latest:
                self._latest = event["time"]
                yield event


def _is_at(file: Any, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _next_events(file: Any) -> Iterator[dict[str, Any]]:
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        yield json.loads(line)


def _line(event: dict[str, Any]) -> bytes:
    line = json.dumps(event, default=str).encode()
    if len(line) > _LINE_LIMIT:
        line = json.dumps(
            {name: str(event[name])[:_TEXT_LIMIT] for name in ("kind", "subject", "text")} | {"time": event["time"]}
        ).encode()
    return line + b"\n"


def _newer_half(file: Any) -> bytes:
    file.seek(0)
    lines: list[bytes] = file.read().splitlines(keepends=True)
    return b"".join(lines[len(lines) // 2 :])

"""What a guest says on its serial console: followed by a thread, the newest part kept in a file."""

from __future__ import annotations

import os
import re
import socket
import threading
from pathlib import Path

LIMIT = 512 * 1024
"""Newest bytes that are always kept; the file is at most twice as long."""
_CHUNK = 64 * 1024
_READ_UP = 5.0
_CONTROL = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|[\x00-\x08\x0b-\x1f\x7f]")
"""What moves a terminal's cursor or colours it."""


class Console:
    """The console of one guest.

    Args:
        line: a connected socket, read until its other end closes.
        file: where the text goes; what it held is dropped.
    """

    def __init__(self, line: socket.socket, file: Path) -> None:
        self._line = line
        self._path = file
        self._changed = threading.Condition()
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._thread = threading.Thread(target=self._follow, name=f"console {file}", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """The newest text, without what only a terminal understands."""
        with self._changed:
            return _plain(self._newest())

    def join(self) -> None:
        """Waits until all is read; the other end must be closed."""
        self._thread.join(timeout=_READ_UP)

    def close(self) -> None:
        """Ends after all is read; the other end must be closed."""
        self.join()
        self._line.close()
        os.close(self._descriptor)

    def _follow(self) -> None:
        while data := self._receive():
            with self._changed:
                os.lseek(self._descriptor, 0, os.SEEK_END)
                os.write(self._descriptor, data)
                if os.fstat(self._descriptor).st_size > 2 * LIMIT:
                    newest = self._newest()
                    os.ftruncate(self._descriptor, 0)
                    os.pwrite(self._descriptor, newest, 0)

    def _receive(self) -> bytes:
        try:
            return self._line.recv(_CHUNK)
        except OSError:
            return b""

    def _newest(self) -> bytes:
        size = os.fstat(self._descriptor).st_size
        return os.pread(self._descriptor, LIMIT, max(0, size - LIMIT))


def _plain(text: bytes) -> str:
    return _CONTROL.sub("", text.decode(errors="replace").replace("\r\n", "\n"))

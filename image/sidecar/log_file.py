"""The file that the app's lines are appended to, as a bounded queue on disk.

What is shipped is given back to the file system by punching a hole: the writer appends on and loses nothing, as it
would if the file were cut to nothing between our last read and the cut. What cannot be shipped waits in the file; past
`BACKLOG` the oldest lines are dropped and counted.
Source: Linux man-pages, fallocate(2), "Deallocating file space"; lseek(2), SEEK_DATA.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

from image.sidecar.batches import BATCH_BYTES

KEEP = 256 * 1024
"""Newest bytes that stay in the file, for whoever reads the console."""
BACKLOG = 16 * 1024 * 1024
"""Bytes that may wait to be shipped."""

PAGE = 4096
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE = 1, 2


class LogFile:
    """Reads a growing file; `position` is the first byte that is not shipped yet."""

    def __init__(self, path: Path, backlog: int = BACKLOG, keep: int = KEEP) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._backlog = backlog
        self._keep = keep
        self.position = self._first_data()

    def read(self) -> bytes:
        """The bytes from `position` on, enough for one batch."""
        return os.pread(self._file, BATCH_BYTES, self.position)

    def shipped(self, count: int) -> None:
        """Moves on by `count` bytes, and gives back all but the newest of what is shipped."""
        self.position += count
        self._free(self.position - self._keep)

    def drop_excess(self) -> int:
        """Skips the oldest lines that are more than the backlog may hold; returns how many."""
        excess = os.fstat(self._file).st_size - self._backlog - self.position
        if excess <= 0:
            return 0
        dropped = 0
        for chunk in self._chunks(self.position, self.position + excess):
            dropped += chunk.count(b"\n")
            self.position += len(chunk)
        rest = self.read()
        end = rest.find(b"\n")
        if end >= 0:
            self.position += end + 1
            dropped += 1
        self._free(self.position)
        return dropped

    def settle(self) -> None:
        """What is written to a file can be read at once."""

    def close(self) -> None:
        os.close(self._file)

    def _chunks(self, start: int, end: int) -> Iterator[bytes]:
        while start < end and (chunk := os.pread(self._file, min(BATCH_BYTES, end - start), start)):
            yield chunk
            start += len(chunk)

    def _first_data(self) -> int:
        """Where a shipper that ran before has left off, at least: what it gave back reads as nothing."""
        try:
            return os.lseek(self._file, 0, os.SEEK_DATA)
        except OSError:
            return os.fstat(self._file).st_size

    def _free(self, end: int) -> None:
        """Gives back whole pages below `end`; where the file system can't, the file just grows."""
        length = max(end, 0) // PAGE * PAGE
        if length:
            _libc.fallocate(self._file, FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(length))


_libc = ctypes.CDLL(None, use_errno=True)

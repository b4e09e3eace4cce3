"""The machine's journal as a bounded queue in memory.

A child process, `journalctl`, follows the journal from the start of this boot. When it ends it is started again, later
after each time, and goes on after the last entry that was read. Beyond `BACKLOG` the oldest lines are dropped and
counted.
Source: journalctl(1), "--follow", "--after-cursor"; systemd.journal-fields(7).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from threading import Event, Lock, Thread

from image.launch import log
from image.sidecar.batches import BATCH_BYTES
from image.sidecar.entries import Entry, parse

BACKLOG = 16 * 1024 * 1024
"""Bytes that may wait to be shipped."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
QUIET = 0.2
"""Seconds without a new line after which the journal is taken to have said all."""
SETTLE = 1.0

FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT,UNIT"
COMMAND = ("journalctl", "--boot", "--follow", "--no-tail", "--output=json", f"--output-fields={FIELDS}")


class Journal:
    """Reads the journal from construction on.

    Args:
        command: what writes entries, one JSON object a line, the oldest first, and goes on.
        backlog: bytes that may wait.
    """

    def __init__(self, command: Sequence[str] = COMMAND, backlog: int = BACKLOG) -> None:
        self._command = command
        self._backlog = backlog
        self._waiting = bytearray()
        self._start = self._read_from = self._dropped = 0
        self._cursor = ""
        self._heard = time.monotonic()
        self._lock = Lock()
        self._stop = Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._follow, name="journal", daemon=True)
        self._thread.start()

    def read(self) -> bytes:
        """The oldest waiting bytes, enough for one batch."""
        with self._lock:
            self._read_from = self._start
            return bytes(self._waiting[:BATCH_BYTES])

    def shipped(self, count: int) -> None:
        """Forgets the first `count` bytes of what was read, unless they were dropped meanwhile."""
        with self._lock:
            self._forget(self._read_from + count - self._start)

    def drop_excess(self) -> int:
        """How many lines were dropped since the last call; dropping is done as lines come in."""
        with self._lock:
            dropped, self._dropped = self._dropped, 0
            return dropped

    def settle(self) -> None:
        """Waits until no line has come for a moment."""
        deadline = time.monotonic() + SETTLE
        while time.monotonic() < min(deadline, self._heard + QUIET):
            self._stop.wait(QUIET / 4)

    def close(self) -> None:
        """Ends the child process."""
        self._stop.set()
        with self._lock:
            if self._child is not None:
                self._child.kill()
        self._thread.join(SETTLE)

    def _follow(self) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            before = self._cursor
            reason = self._read_child()
            if self._stop.is_set():
                return
            pause = FIRST_PAUSE if self._cursor != before else min(pause * 2, LONGEST_PAUSE)
            log.line("warning", "journalctl ended, it is started again", reason=reason, seconds=pause)
            self._stop.wait(pause)

    def _read_child(self) -> str:
        """Reads one child to its end; returns why it ended."""
        after = [f"--after-cursor={self._cursor}"] if self._cursor else []
        with self._lock:
            if self._stop.is_set():
                return "stopped"
            try:
                self._child = subprocess.Popen(
                    [*self._command, *after], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
                )
            except OSError as error:
                return str(error)
        with self._child as child:
            for text in child.stdout or ():
                self._take(text)
        return f"exit code {child.returncode}"

    def _take(self, text: bytes) -> None:
        entry = parse(text)
        if entry is None:
            return
        self._cursor = entry.cursor
        self._heard = time.monotonic()
        self._queue(entry)

    def _queue(self, entry: Entry) -> None:
        with self._lock:
            self._waiting += entry.line
            while len(self._waiting) > self._backlog:
                self._forget(self._waiting.find(b"\n") + 1)
                self._dropped += 1

    def _forget(self, count: int) -> None:
        if count > 0:
            del self._waiting[:count]
            self._start += count

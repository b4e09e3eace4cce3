"""The newest of what a guest says, and never more than that."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

from local.machine.console import LIMIT, Console


def test_only_the_newest_is_kept_and_it_is_whole(tmp_path: Path) -> None:
    ours, guests = socket.socketpair()
    console = Console(ours, tmp_path / "console.log")
    line = b"x" * 99 + b"\n"
    for _ in range(3 * LIMIT // len(line)):
        guests.sendall(line)
    guests.sendall(b"the end\n")
    guests.close()
    with closing(console):
        console.join()
        assert console.text().endswith("x\nthe end\n")
        assert len(console.text()) == LIMIT
        assert (tmp_path / "console.log").stat().st_size <= 2 * LIMIT + len(line)


def test_what_moves_a_cursor_is_left_out(tmp_path: Path) -> None:
    ours, guests = socket.socketpair()
    console = Console(ours, tmp_path / "console.log")
    guests.sendall("\x1b[2J\x1b[1;1H[\x1b[0;32m  OK  \x1b[0m] Started\r\nstü".encode())
    guests.close()
    with closing(console):
        console.join()
        assert console.text() == "[  OK  ] Started\nstü"

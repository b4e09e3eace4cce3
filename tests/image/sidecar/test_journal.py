"""The journal as a queue: a child process stands in for journalctl, a real one where a journal is there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from image.sidecar.journal import Journal
from tests.local.control.running import wait_until

# Writes the entries of a file that come after the given cursor, waits for more, and dies when it is told to.
CHILD = """
import pathlib, sys, time
entries, die = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
after = int(sys.argv[3].partition("=")[2]) if len(sys.argv) > 3 else -1
given = 0
while not die.exists():
    lines = entries.read_text().splitlines(keepends=True)
    for number, line in list(enumerate(lines))[given:]:
        if number > after:
            sys.stdout.write(line)
    given = len(lines)
    sys.stdout.flush()
    time.sleep(0.02)
die.unlink()
sys.exit(1)
"""


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    path = tmp_path / "entries"
    path.touch()
    return path


@pytest.fixture
def follow(tmp_path: Path, entries: Path) -> Iterator[Callable[..., Journal]]:
    started: list[Journal] = []

    def make(**bounds: int) -> Journal:
        command = [sys.executable, "-S", "-c", CHILD, str(entries), str(tmp_path / "die")]
        started.append(Journal(command, **bounds))
        return started[-1]

    yield make
    for journal in started:
        journal.close()


def write(entries: Path, *messages: str) -> None:
    first = len(entries.read_text().splitlines())
    with entries.open("a") as file:
        for number, message in enumerate(messages, first):
            fields = {"__CURSOR": str(number), "MESSAGE": message, "_SYSTEMD_UNIT": "goldfleet-app.service"}
            file.write(json.dumps(fields) + "\n")


def test_what_is_read_waits_until_it_is_shipped(entries: Path, follow: Callable[..., Journal]) -> None:
    write(entries, "one", "two")
    journal = follow()
    wait_until(lambda: journal.read() == b"one\ntwo\n")
    journal.shipped(len(b"one\n"))
    assert journal.read() == b"two\n"
    write(entries, "three")
    wait_until(lambda: journal.read() == b"two\nthree\n")
    assert journal.drop_excess() == 0


def test_a_child_that_dies_is_followed_by_one_that_goes_on(
    entries: Path, follow: Callable[..., Journal], tmp_path: Path
) -> None:
    write(entries, "one")
    journal = follow()
    wait_until(lambda: journal.read() == b"one\n")
    (tmp_path / "die").touch()
    write(entries, "two")
    wait_until(lambda: journal.read() == b"one\ntwo\n")


def test_beyond_the_bound_the_oldest_lines_go_and_are_counted(entries: Path, follow: Callable[..., Journal]) -> None:
    write(entries, *(f"{number:03}" for number in range(100)))
    journal = follow(backlog=40)
    wait_until(lambda: journal.read().endswith(b"099\n"))
    assert journal.read() == b"".join(b"%03d\n" % number for number in range(90, 100))
    assert journal.drop_excess() == 90
    assert journal.drop_excess() == 0


def test_lines_that_were_dropped_while_they_were_shipped_are_not_taken_twice(
    entries: Path, follow: Callable[..., Journal]
) -> None:
    write(entries, *(f"{number:03}" for number in range(10)))
    journal = follow(backlog=40)
    wait_until(lambda: len(journal.read()) == 40)
    read = journal.read()
    write(entries, "010", "011")
    wait_until(lambda: journal.drop_excess() == 2)
    journal.shipped(len(read))
    assert journal.read() == b"010\n011\n"


def test_settling_waits_for_lines_that_are_on_their_way(entries: Path, follow: Callable[..., Journal]) -> None:
    journal = follow()
    write(entries, "last")
    wait_until(journal.read)
    journal.settle()
    assert journal.read() == b"last\n"


def test_without_a_journalctl_the_machine_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(["/no/such/journalctl"])
    wait_until(lambda: "No such file" in capsys.readouterr().err)
    assert journal.read() == b""
    journal.close()

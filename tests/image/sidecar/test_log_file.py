"""The file of log lines: bounded on disk, and its writer loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from image.sidecar.log_file import LogFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


def ship_all(source: LogFile) -> bytes:
    shipped = b""
    while text := source.read():
        shipped += text
        source.shipped(len(text))
    return shipped


def test_what_is_shipped_is_given_back_and_the_writer_appends_on(path: Path) -> None:
    with path.open("ab", buffering=0) as writer:
        source = LogFile(path, keep=8192)
        for number in range(40):
            line = f"{number:06} ".encode() * 9000 + b"\n"
            writer.write(line)
            assert ship_all(source) == line
        assert path.stat().st_blocks * 512 <= 8192 + 3 * 4096
        assert path.read_bytes().endswith(line[-8192:])
        source.close()


def test_a_new_sidecar_goes_on_where_the_old_one_has_left_something(path: Path) -> None:
    path.write_bytes(b"a" * 100_000 + b"\n")
    first = LogFile(path, keep=0)
    assert len(ship_all(first)) == 100_001
    first.close()
    with path.open("ab") as writer:
        writer.write(b"new\n")
    second = LogFile(path, keep=0)
    assert second.position > 90_000
    assert ship_all(second).endswith(b"a\nnew\n")


def test_beyond_the_backlog_the_oldest_lines_are_dropped_and_counted(path: Path) -> None:
    lines = [f"{number:03}\n".encode() for number in range(250)]
    path.write_bytes(b"".join(lines))
    source = LogFile(path, backlog=101)
    dropped = source.drop_excess()
    assert dropped == 225
    assert ship_all(source) == b"".join(lines[225:])
    assert source.drop_excess() == 0

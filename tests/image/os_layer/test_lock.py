"""The lock: same packages, same bytes; a damaged line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.os_layer import lock
from image.os_layer.lock import Change, Package
from tests.image.conftest import ROOT

BASH = Package("bash", "5.2.15-2+b13", "amd64", "ab" * 32, 1490652)
TZDATA = Package("tzdata", "2026f-0+deb12u1", "all", "cd" * 32, 330000)


def test_what_is_written_is_read_again() -> None:
    text = lock.render([TZDATA, BASH])
    assert lock.parse(text, "os.lock") == (BASH, TZDATA)
    assert text == lock.render([BASH, TZDATA])


def test_the_projects_own_lock_is_as_it_would_be_written() -> None:
    assert lock.render(lock.read(ROOT)) == (ROOT / lock.FILE).read_text()


@pytest.mark.parametrize(
    "line",
    [
        "bash 5.2.15-2+b13 amd64",
        f"bash 5.2 amd64 {'ab' * 31} 12",
        f"bash 5.2 amd64 {'ab' * 32} twelve",
        f"../bash 5.2 amd64 {'ab' * 32} 12",
        f"tzdata 1 all {'cd' * 32} 1",
    ],
)
def test_a_damaged_line_is_named(line: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        lock.parse(f"# a comment\n{TZDATA}\n{line}\n", "os.lock")
    assert caught.value.where == "os.lock:3"


def test_no_lock_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is missing"):
        lock.read(tmp_path)
    with pytest.raises(ReleaseError, match="names no package"):
        lock.parse("# nothing\n", "os.lock")


def test_changes_are_told_by_name() -> None:
    newer, other = Package("bash", "5.3", "amd64", "ee" * 32, 2), Package("tzdata", TZDATA.version, "all", "00" * 32, 1)
    zlib = Package("zlib1g", "1", "amd64", "11" * 32, 1)
    assert lock.changes([BASH, TZDATA], [newer, zlib]) == (
        Change("bash", BASH.version, "5.3"),
        Change("tzdata", TZDATA.version, ""),
        Change("zlib1g", "", "1"),
    )
    assert lock.changes([BASH, TZDATA], [TZDATA, BASH]) == ()
    assert lock.changes([TZDATA], [other]) == (Change("tzdata", TZDATA.version, TZDATA.version),)

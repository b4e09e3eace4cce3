"""Only what Debian has for the suite is locked, and the same archive gives the same lock."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.os_layer import lock
from image.os_layer.lock import Change
from image.os_layer.update import update
from tests.image.os_layer.debian import Archive, configure


def quiet(_: str) -> None:
    """Nobody watches."""


def test_what_is_wanted_and_all_it_needs_is_locked(debian: Archive, project: Path) -> None:
    changes = update(project, quiet, write=True)
    assert changes == (Change("base", "", "1"), Change("library", "", "1.0-1"), Change("server", "", "2:3.0"))
    text = (project / lock.FILE).read_text()
    assert update(project, quiet, write=True) == ()
    assert (project / lock.FILE).read_text() == text


def test_what_changed_is_told(debian: Archive, project: Path) -> None:
    update(project, quiet, write=True)
    debian.add("library", "1.1-1", depends="tables")
    debian.add("tables", "7")
    expected = (Change("library", "1.0-1", "1.1-1"), Change("tables", "", "7"))
    before = (project / lock.FILE).read_text()
    assert update(project, quiet, write=False) == expected
    assert (project / lock.FILE).read_text() == before
    assert update(project, quiet, write=True) == expected
    (project / "image/os.packages").write_text("base   without a server\n")
    assert [change.name for change in update(project, quiet, write=True) if not change.after] == [
        "library",
        "server",
        "tables",
    ]


def test_other_archives_are_left_out(
    debian: Archive, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that says it is the suite but not that it is Debian; one of Debian's other suites; one that is not there."""
    stranger = Archive(tmp_path / "stranger", origin="Stranger")
    stranger.add("library", "9.0-1")
    backports = Archive(tmp_path / "backports", suite="bookworm-backports")
    backports.add("library", "8.0-1")
    gone = f"Types: deb\nURIs: copy:{tmp_path}/gone\nSuites: nodistro\nComponents: main\nTrusted: yes\n"
    entries = (gone, stranger.entry(), backports.entry(), debian.entry())
    monkeypatch.setenv("APT_CONFIG", str(configure(tmp_path / "apt", *entries)))
    update(project, quiet, write=True)
    assert {package.name: package.version for package in lock.read(project)}["library"] == "1.0-1"


def test_security_updates_count(
    debian: Archive, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    security = Archive(tmp_path / "security", suite="bookworm-security")
    security.add("library", "1.0-1+deb12u1")
    monkeypatch.setenv("APT_CONFIG", str(configure(tmp_path / "apt", debian.entry(), security.entry())))
    update(project, quiet, write=True)
    assert {package.name: package.version for package in lock.read(project)}["library"] == "1.0-1+deb12u1"


def test_an_archive_that_cannot_be_read_moves_no_lock(
    debian: Archive, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that does not answer could hold the newest version: an older one must not be locked in its place."""
    update(project, quiet, write=True)
    before = (project / lock.FILE).read_text()
    silent = "Types: deb\nURIs: http://127.0.0.1:1\nSuites: bookworm-security\nComponents: main\nTrusted: yes\n"
    monkeypatch.setenv("APT_CONFIG", str(configure(tmp_path / "apt", debian.entry(), silent)))
    debian.add("library", "1.1-1")
    with pytest.raises(ReleaseError, match="Debian archive"):
        update(project, quiet, write=True)
    assert (project / lock.FILE).read_text() == before


def test_without_a_source_of_the_suite_there_is_a_way_out(
    debian: Archive, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Archive(tmp_path / "other", suite="trixie")
    other.add("library", "1")
    monkeypatch.setenv("APT_CONFIG", str(configure(tmp_path / "apt", other.entry())))
    with pytest.raises(ReleaseError, match="no source of Debian bookworm; run it on Debian"):
        update(project, quiet, write=True)


def test_a_package_that_does_not_exist_is_named(debian: Archive, project: Path) -> None:
    (project / "image/os.packages").write_text("sevrer   mistyped\n")
    with pytest.raises(ReleaseError, match="sevrer"):
        update(project, quiet, write=True)
    assert not (project / lock.FILE).exists()

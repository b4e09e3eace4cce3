"""The archive moves on, or offers other bytes: refused in words, and nothing of it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.os_layer import lock, repository
from image.os_layer.recipe import SUITE
from image.os_layer.update import update
from image.release import file_digest
from tests.image.os_layer.debian import Archive
from tests.image.os_layer.test_update import quiet


@pytest.fixture
def locked(debian: Archive, project: Path) -> tuple[lock.Package, ...]:
    update(project, quiet, write=True)
    return lock.read(project)


def test_files_come_from_the_archive_once(
    debian: Archive, locked: tuple[lock.Package, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    debs = repository.fetch(locked, SUITE, quiet)
    assert {package: file_digest(file) for package, file in debs.items()} == {
        package: package.sha256 for package in locked
    }
    monkeypatch.setenv("APT_CONFIG", "/nonexistent")
    assert repository.fetch(locked, SUITE, quiet) == debs


def test_an_archive_that_has_moved_on_is_refused(debian: Archive, locked: tuple[lock.Package, ...]) -> None:
    debian.add("library", "1.1-1")
    with pytest.raises(ReleaseError, match=r"no longer has library=1\.0-1.*`goldfleet image update`"):
        repository.fetch(locked, SUITE, quiet)


def test_what_was_fetched_before_outlives_the_archive(debian: Archive, locked: tuple[lock.Package, ...]) -> None:
    debs = repository.fetch(locked, SUITE, quiet)
    debian.add("library", "1.1-1")
    assert repository.fetch(locked, SUITE, quiet) == debs


def test_other_bytes_under_the_locked_version_are_refused(
    debian: Archive, locked: tuple[lock.Package, ...], cache: Path
) -> None:
    debian.add("library", "1.0-1", content="something else")
    with pytest.raises(ReleaseError, match=r"other bytes than the locked ones for library=1\.0-1"):
        repository.fetch(locked, SUITE, quiet)
    assert not list((cache / "debs").glob("*"))


def test_a_file_that_its_lists_do_not_describe_is_refused(
    debian: Archive, locked: tuple[lock.Package, ...], cache: Path
) -> None:
    """The lists are the locked ones, the file is not: apt sees it, and so would we."""
    deb = next((debian.folder / "pool").glob("library_*"))
    deb.write_bytes(deb.read_bytes()[:-1] + b"!")
    with pytest.raises(ReleaseError, match="Debian archive"):
        repository.fetch(locked, SUITE, quiet)
    assert not list((cache / "debs").glob("*"))


def test_a_repository_holds_the_locked_packages_and_says_the_suite(
    debian: Archive, locked: tuple[lock.Package, ...], tmp_path: Path
) -> None:
    target = tmp_path / "repository"
    repository.lay_out(repository.fetch(locked, SUITE, quiet), SUITE, target)
    index = (target / "Packages").read_text()
    assert [line for line in index.splitlines() if line.startswith("Package: ")] == [
        "Package: base",
        "Package: library",
        "Package: server",
    ]
    assert f"Codename: {SUITE}" in (target / "Release").read_text()
    assert {path.name for path in target.glob("*.deb")} == {f"{package.sha256}.deb" for package in locked}

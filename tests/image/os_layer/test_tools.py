"""What is missing is named with the one command that gets it; what fails is told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError, ToolMissing
from image.os_layer import tools


def programs(folder: Path, *names: str) -> str:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


def test_what_is_missing_is_named_with_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    present = programs(tmp_path / "bin", "apt-get", "dpkg-deb", "mkfs.vfat", "mcopy", "newuidmap")
    monkeypatch.setattr(tools, "SEARCH_PATH", present)
    with pytest.raises(ToolMissing) as caught:
        tools.require()
    assert caught.value.what == "mmdebstrap, squashfs-tools not installed here"
    assert caught.value.way_out.endswith("apt-get install --yes mmdebstrap squashfs-tools`")


def test_the_lock_is_moved_without_the_tools_that_bake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "SEARCH_PATH", programs(tmp_path / "bin", "apt-get"))
    tools.require(["apt-get"])


def test_where_there_is_no_apt_nothing_is_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "SEARCH_PATH", programs(tmp_path / "bin"))
    with pytest.raises(ToolMissing, match="bake on Debian"):
        tools.require()


def test_the_last_words_of_what_failed_are_told() -> None:
    with pytest.raises(ReleaseError, match=r"^thing: sh failed: E: no such package; "):
        tools.run(["sh", "-c", "echo I: working >&2; echo 'E: no such package' >&2; echo bye >&2; exit 3"], "thing", 10)
    with pytest.raises(ReleaseError, match="no reason given"):
        tools.run(["sh", "-c", "exit 3"], "thing", 10)


def test_what_does_not_end_is_ended() -> None:
    with pytest.raises(ReleaseError, match="did not end within 0 s"):
        tools.run(["sleep", "60"], "thing", 0.2)

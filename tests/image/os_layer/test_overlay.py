"""Files, links and programs of a folder, and nothing that an editor or Python left there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from goldfleet.errors import ReleaseError
from image.os_layer.overlay import CODE_FOLDER, Entry, code, files
from tests.image.conftest import ROOT


def test_files_programs_and_links(tmp_path: Path) -> None:
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/tool").write_text("#!/bin/sh\n")
    (tmp_path / "usr/bin/tool").chmod(0o700)
    (tmp_path / "motd").write_text("hello")
    (tmp_path / "motd").chmod(0o600)
    (tmp_path / "motd~").write_text("before")
    (tmp_path / "broken").symlink_to("/dev/null")
    (tmp_path / "usr/__pycache__").mkdir()
    (tmp_path / "usr/__pycache__/a.pyc").write_bytes(b"x")
    assert files(tmp_path, "etc") == (
        Entry("etc/broken", link="/dev/null"),
        Entry("etc/motd", 0o644, b"hello"),
        Entry("etc/usr/bin/tool", 0o755, b"#!/bin/sh\n"),
    )


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ReleaseError, match="neither a file nor a link"):
        files(tmp_path, "")


def test_our_code_is_the_launcher_and_what_it_stands_on() -> None:
    paths = {entry.path for entry in code(ROOT)}
    assert {f"{CODE_FOLDER}/{name}" for name in ("image/launch/__main__.py", "goldfleet/contract/clone.py")} <= paths
    assert not [path for path in paths if "registry" in path or "/cli/" in path or "/state/" in path]

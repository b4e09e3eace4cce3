"""What a fault takes from one clone is taken from that one only, and given back."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.exhaustion import full, take_descriptors
from goldfleet.errors import LocalCloudError
from local.processes import Process, start_time

OPENS_A_FILE = "import sys; print('ready', flush=True); sys.stdin.readline(); open('/dev/null')"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "clone"
    made.mkdir(mode=0o700)
    (made / "password").write_text("secret")
    (made / "password").chmod(0o600)
    try:
        with full(made):
            pass
    except LocalCloudError as error:
        pytest.skip(f"this machine does not allow it: {error}")
    return made


def test_a_full_folder_keeps_what_it_held_and_takes_nothing_more(folder: Path, tmp_path: Path) -> None:
    with full(folder):
        assert (folder / "password").read_text() == "secret"
        assert (folder / "password").stat().st_mode & 0o777 == 0o600
        with pytest.raises(OSError, match="No space left on device"):
            (folder / "more").write_text("more")
        (tmp_path / "another clone").write_text("has room")
    assert {path.name for path in folder.iterdir()} == {"password"}


def test_nothing_is_left_of_a_folder_that_was_removed_meanwhile(folder: Path) -> None:
    with full(folder):
        shutil.rmtree(folder, ignore_errors=True)  # as the local cloud does when a clone is gone
    assert not folder.exists()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    command = (sys.executable, "-c", OPENS_A_FILE)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process


def test_a_process_without_descriptors_opens_nothing(child: subprocess.Popen[str]) -> None:
    ours = resource.getrlimit(resource.RLIMIT_NOFILE)
    take_descriptors(Process("child", child.pid, start_time(child.pid) or 0, ()))
    _, said = child.communicate("\n", timeout=10)
    assert "Too many open files" in said
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == ours
    os.close(os.dup(1))

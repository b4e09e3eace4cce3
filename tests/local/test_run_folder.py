"""The run folder: private, complete, removed as one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from goldfleet.errors import LocalCloudError
from local.run_folder import Run, RunFolder, make_volatile_folder, volatile_folder, write_private


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    return folder


def test_nobody_else_can_look_in(folder: RunFolder) -> None:
    folder.create()  # a second time is harmless
    for path in (folder.root, folder.stores, folder.instances, folder.processes):
        assert stat.S_IMODE(path.stat().st_mode) & 0o066 == 0
    write_private(folder.root / "secret", "x")
    assert stat.S_IMODE((folder.root / "secret").stat().st_mode) == 0o600


def test_run_json_is_read_as_written_and_none_before(folder: RunFolder) -> None:
    assert folder.read_run() is None
    run = Run(network=12, endpoint="http://127.13.0.1:4566", supervisor=1, started=2)
    folder.write_run(run)
    assert folder.read_run() == run


def test_a_damaged_run_json_names_the_way_out(folder: RunFolder) -> None:
    folder.run_file.write_text('{"network": 12}')
    with pytest.raises(LocalCloudError, match="goldfleet down"):
        folder.read_run()


def test_removal_leaves_nothing_and_may_be_repeated(folder: RunFolder) -> None:
    (folder.stores / "x").mkdir()
    release = folder.releases / "digest" / "app"
    release.mkdir(parents=True)
    (release / "file").touch(mode=0o444)
    release.chmod(0o555)
    folder.remove()
    folder.remove()
    assert not folder.root.exists()


def test_a_volatile_folder_that_somebody_else_made_is_refused(tmp_path: Path) -> None:
    network = 9999
    path = volatile_folder(network)
    assert make_volatile_folder(network) == path
    path.rmdir()
    path.symlink_to(tmp_path)
    try:
        with pytest.raises(LocalCloudError, match="another account"):
            make_volatile_folder(network)
    finally:
        path.unlink()
    assert os.geteuid() == tmp_path.stat().st_uid

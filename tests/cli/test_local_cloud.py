from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goldfleet.cli import local_cloud
from goldfleet.errors import LocalCloudError
from local.processes import Program, spawn
from local.run_folder import RunFolder


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout whose supervisor the test writes."""
    monkeypatch.setattr(local_cloud, "CHECKOUT", tmp_path)
    monkeypatch.setattr(local_cloud, "RUN", tmp_path / ".local" / "run")
    monkeypatch.setattr(local_cloud, "FOLDER", RunFolder(tmp_path / ".local" / "run"))
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "__init__.py").touch()
    return tmp_path


def supervised_by(checkout: Path, program: str) -> subprocess.Popen[bytes]:
    (checkout / "local" / "supervisor.py").write_text(program)
    return local_cloud.begin("us-east-1", print)


def leave_behind(folder: RunFolder) -> subprocess.Popen[bytes]:
    """A process of a run whose supervisor is gone."""
    folder.create()
    command = (sys.executable, "-c", "import time; time.sleep(300)")
    return spawn(folder, Program("left", command, folder.root, folder.root / "left.log", dict(os.environ)))


def test_a_supervisor_that_dies_is_shown_with_the_end_of_its_log(checkout: Path) -> None:
    supervisor = supervised_by(checkout, "raise SystemExit('the port is taken')")
    with pytest.raises(LocalCloudError, match="the port is taken"):
        local_cloud.wait_ready(supervisor)


def test_one_that_is_not_ready_in_time_is_given_up(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "READY_SECONDS", 0.1)
    supervisor = supervised_by(checkout, "import time; time.sleep(300)")
    with pytest.raises(LocalCloudError, match="did not start"):
        local_cloud.wait_ready(supervisor)
    local_cloud.stop(print)
    assert supervisor.wait(10) != 0
    assert not (checkout / ".local").exists()


def test_it_sees_nothing_of_the_persons_aws(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the person's")
    supervisor = supervised_by(checkout, "import os; print('\\n'.join(os.environ))")
    supervisor.wait(20)
    seen = (checkout / ".local" / "run" / "supervisor.log").read_text().split()
    assert "PATH" in seen
    assert [name for name in seen if name.startswith("AWS_")] == []


def test_what_a_dead_supervisor_left_goes_before_a_new_one_starts(checkout: Path) -> None:
    left = leave_behind(local_cloud.FOLDER)
    supervised_by(checkout, "").wait(20)
    assert left.wait(10) != 0
    assert not (local_cloud.FOLDER.root / "left.log").exists()


def test_stop_ends_and_removes_everything_and_may_be_repeated(checkout: Path) -> None:
    left = leave_behind(local_cloud.FOLDER)
    (checkout / ".local" / "run" / "half").mkdir()
    for _ in range(2):
        local_cloud.stop(print)
        assert left.wait(10) != 0
        assert not (checkout / ".local").exists()

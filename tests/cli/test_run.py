from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from goldfleet.cli import local_cloud
from goldfleet.cli.__main__ import main
from goldfleet.cli.reloader import Reloader
from goldfleet.errors import LocalCloudError
from local.run_folder import RunFolder


def test_without_a_local_cloud_it_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(local_cloud, "FOLDER", RunFolder(tmp_path))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert main(["run", "--port", str(port)]) == 1
    assert "the local cloud does not run\n  -> start it with `goldfleet up`" in capsys.readouterr().err


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["run", "--port", str(port)]) == 2
    assert f"127.0.0.1:{port}: cannot listen there (Address already in use)" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["-s", "prod"]])
def test_what_cannot_be_is_refused(arguments: list[str]) -> None:
    assert main(["run", *arguments]) == 2


def test_when_the_local_cloud_goes_it_ends(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    program = "import pathlib, shutil; shutil.rmtree(pathlib.Path.cwd() / 'run'); import time; time.sleep(300)"
    reloader = Reloader(
        folder=folder,
        name="run-1",
        command=(sys.executable, "-c", program),
        cwd=tmp_path,
        environment=dict(os.environ),
        watched=(tmp_path,),
        grace=10,
        report=print,
    )
    with pytest.raises(LocalCloudError, match="was stopped, and the app with it"):
        reloader.run()

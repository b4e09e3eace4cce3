from __future__ import annotations

import socket
from pathlib import Path

import pytest

from goldfleet.cli import local_cloud
from goldfleet.cli.__main__ import main
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

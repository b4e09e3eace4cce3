"""Two control planes for all tests here: one that is ready at once, one that waits for a data plane's reports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.addresses import control_endpoint
from local.network_number import choose_network
from tests.local.control.running import START, Control, wait_until


def _run(folder: Path, data_plane: str) -> Iterator[Control]:
    network = choose_network(folder)
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "local.control", "--network", str(network), data_plane]
    process = subprocess.Popen([*command, "--ready-file", str(ready), "--exit-with-parent"])
    try:
        wait_until(lambda: ready.exists() or process.poll() is not None, START)
        assert process.poll() is None
        yield Control(control_endpoint(network), network)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """Without a data plane: everything is ready at once."""
    yield from _run(tmp_path_factory.mktemp("control"), "--no-data-plane")


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    """With a data plane, which is the test."""
    yield from _run(tmp_path_factory.mktemp("reported"), "--data-plane")

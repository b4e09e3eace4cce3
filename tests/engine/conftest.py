"""Control planes for engine tests: one per test file, on a free network number."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.network_number import choose_network
from tests.engine.world import ROOT, Change, World, new_world

START = 60.0


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A control plane where stores and targets are ready at once."""
    folder = tmp_path_factory.mktemp("control")
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "local.control", "--network", str(choose_network(folder)), "--no-data-plane"]
    with subprocess.Popen([*command, "--ready-file", str(ready), "--exit-with-parent"], cwd=ROOT) as process:
        deadline = time.monotonic() + START
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield json.loads(ready.read_text())["endpoint"]
        process.terminate()


@pytest.fixture(scope="module")
def world(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., World]:
    """Makes a stack: `world("dev")`, or with changes that all its runs have: `world("local", {"fleet.max": 7})`."""

    def make(stack: str, changes: Change | None = None) -> World:
        return new_world(stack, endpoint, Path(tmp_path_factory.mktemp(stack)), changes or {})

    return make

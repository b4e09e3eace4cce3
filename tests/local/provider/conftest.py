"""Rows against a control plane of their own, without an engine."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldfleet.aws_session import DUMMY_ACCOUNT, Account
from local.network_number import choose_network
from local.provider.aws import Aws
from tests.local.provider.ground import Ground, Rows

START = 60.0
REGION = "eu-central-1"


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where AWS answers."""
    folder = tmp_path_factory.mktemp("control")
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "local.control", "--network", str(choose_network(folder)), "--no-data-plane"]
    root = Path(__file__).parents[3]
    with subprocess.Popen([*command, "--ready-file", str(ready), "--exit-with-parent"], cwd=root) as process:
        deadline = time.monotonic() + START
        while not ready.exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield json.loads(ready.read_text())["endpoint"]
        process.terminate()


@pytest.fixture(scope="session")
def aws(endpoint: str) -> Aws:
    """A connection without default tags."""
    return Aws(Account(DUMMY_ACCOUNT, REGION, endpoint), {})


@pytest.fixture(scope="session")
def rows(aws: Aws) -> Rows:
    """The resource types, by their short names."""
    return Rows(aws)


@pytest.fixture(scope="session")
def ground(aws: Aws) -> Ground:
    """What other resources stand on."""
    return Ground.made(aws)

"""How tests speak to a running control plane."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.addresses import control_endpoint
from local.network_number import choose_network

ROOT = Path(__file__).parents[3]
START = 60.0
TRIES = 3
"""Two test workers may choose the same free network at the same moment: who comes second chooses again."""


@dataclass(frozen=True)
class Control:
    """A running control plane, spoken to as the program and the data plane do."""

    endpoint: str
    network: int

    def client(self, service: str) -> Any:
        return _client(self.endpoint, service)

    def local(self, method: str, path: str, content: Any = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.endpoint}/_local/{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@cache
def _client(endpoint: str, service: str) -> Any:
    config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    session = boto3.Session("goldfleet-local", "goldfleet-local", region_name="eu-central-1")
    return session.client(service, endpoint_url=endpoint, config=config)


def wait_until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """What `condition` returns, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


@contextmanager
def running_control(folder: Path, data_plane: bool = False, minute: float = 2) -> Iterator[Control]:
    """A control plane of its own process, for as long as the block lasts.

    Args:
        folder: empty, for its files.
        data_plane: whether stores and targets wait to be reported.
        minute: seconds that a minute of CloudWatch lasts.
    """
    process, control = _start(folder, "--data-plane" if data_plane else "--no-data-plane", "--minute", str(minute))
    try:
        yield control
    finally:
        process.terminate()
        process.wait(20)


def _start(folder: Path, *options: str) -> tuple[subprocess.Popen[bytes], Control]:
    ready = folder / "ready.json"
    for _ in range(TRIES):
        network = choose_network(folder)
        command = [sys.executable, "-m", "local.control", "--network", str(network), *options]
        process = subprocess.Popen([*command, "--ready-file", str(ready), "--exit-with-parent"], cwd=ROOT)
        wait_until(lambda: ready.exists() or process.poll() is not None, START)  # noqa: B023  called at once
        if process.poll() is None:
            return process, Control(control_endpoint(network), network)
    raise AssertionError("the control plane ends as soon as it is started")

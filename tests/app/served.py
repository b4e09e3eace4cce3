"""One process of the app, started as the launcher starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import httpx

from goldfleet.contract import service
from goldfleet.contract.environment import Environment

ROOT = Path(__file__).parents[2]


class Served:
    """A process of the app and what it wrote."""

    def __init__(self, environment: Environment, output: Path, **more: str) -> None:
        self.url = f"http://{environment.host}:{environment.port}"
        self.output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                (sys.executable, *service.SERVE_COMMAND),
                cwd=ROOT,
                env={**environment.to_variables(), "PATH": os.defpath, **more},
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def wait_until_alive(self) -> None:
        end = monotonic() + 20
        while True:
            try:
                assert httpx.get(self.url + service.HEALTH_PATH).status_code == 200
            except httpx.TransportError:
                assert self.process.poll() is None, self.output.read_text()
                assert monotonic() < end, self.output.read_text()
                sleep(0.05)
            else:
                return

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]


@contextmanager
def serving(environment: Environment, output: Path, **more: str) -> Iterator[Served]:
    """Serves for the length of the block; `more` are variables beside those of the contract."""
    made = Served(environment, output, **more)
    try:
        made.wait_until_alive()
        yield made
    finally:
        made.process.kill()
        made.process.wait(10)

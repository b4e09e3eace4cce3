"""How tests speak to a running control plane."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

START = 60.0


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

"""A served process: it starts, it stops, it refuses what is no HTTP."""

from __future__ import annotations

import http.client
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from goldfleet.contract import service
from goldfleet.contract.environment import Environment
from tests.app.served import ROOT, Served, serving


@pytest.fixture
def served(environment: Environment, tmp_path: Path) -> Iterator[Served]:
    with serving(environment, tmp_path / "output") as made:
        yield made


def test_the_stop_signal_ends_it_well_and_every_line_is_json(served: Served) -> None:
    assert httpx.get(served.url + "/").status_code == 200
    served.process.send_signal(service.STOP_SIGNAL)
    assert served.process.wait(10) == 0
    assert {"time", "level", "logger", "message"} <= served.lines()[-1].keys()
    assert not [line for line in served.lines() if line["level"] in ("error", "warning")]


def test_a_request_under_way_is_finished_before_it_stops(served: Served) -> None:
    def body() -> Iterator[bytes]:
        yield b"name=somebody&"
        served.process.send_signal(service.STOP_SIGNAL)
        yield b"password=correct+horse&csrf_token=&next=/"

    form = {"content-type": "application/x-www-form-urlencoded"}
    assert httpx.post(served.url + "/login", content=body(), headers=form).status_code == 401
    assert served.process.wait(10) == 0


@pytest.mark.parametrize(
    "request_line", [b"GET /\xff HTTP/1.1", b"GET / HTTP/9.9", b"\x00\x01", b"G ET / HTTP/1.1"]
)  # fmt: skip
def test_what_is_no_http_is_refused(served: Served, request_line: bytes) -> None:
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(request_line + b"\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert not [line for line in served.lines() if line["level"] == "error"]


def test_it_does_not_start_without_its_environment() -> None:
    done = subprocess.run(
        (sys.executable, *service.SERVE_COMMAND),
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert "GOLDFLEET_PROJECT: not set" in done.stderr


def test_a_kept_connection_outlives_the_balancers_idle_time(
    served: Served, counts: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """One connection, a request every six seconds; uvicorn's own limit of five would close it, a 502 behind an ALB."""
    requests, pause = counts(2, 20), 6
    parts = urlsplit(served.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    connection.auto_open = 0  # a closed connection is an error, never opened again in silence
    connection.connect()
    for number in range(requests):
        if number:
            readable, _, _ = select.select([connection.sock], [], [], pause)
            assert not readable, f"closed after {number} requests"
        connection.request("GET", "/login")
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.will_close) == (200, False)
    connection.close()
    tell(f"keep-alive, local: {requests} requests on one connection, {pause} s apart, none failed")

"""Metadata: version 2 only, retried within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from goldfleet.errors import ContractError
from image.launch.metadata import ATTEMPTS, Metadata
from tests.image.told import Told


class Unwilling(HTTPServer):
    """Answers a list of statuses, then `200 x`."""

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = statuses
        self.paths: list[str] = []
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Unwilling

    def do_GET(self) -> None:
        self.server.paths.append(f"{self.command} {self.path}")
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else HTTPStatus.OK)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"x")

    def do_PUT(self) -> None:
        self.do_GET()

    def log_request(self, *args: object) -> None:
        return


@pytest.fixture
def unwilling() -> Iterator[Unwilling]:
    server = Unwilling([])
    yield server
    server.shutdown()
    server.server_close()


def test_a_clone_knows_itself(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", told.endpoint)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    clone = Metadata().clone()
    assert (clone.instance_id, clone.zone, clone.address) == ("i-0123456789abcdef0", "eu-central-1b", "127.10.0.7")
    assert clone.user_data == told.user_data.to_text()


def test_what_fails_for_a_moment_is_asked_again(unwilling: Unwilling) -> None:
    unwilling.statuses = [500, 503]
    pauses: list[float] = []
    assert Metadata(unwilling.url, pauses.append).clone().zone == "x"
    assert len(pauses) == 2
    assert pauses == sorted(pauses)


def test_what_fails_for_ever_is_given_up(unwilling: Unwilling) -> None:
    unwilling.statuses = [500] * 100
    with pytest.raises(ContractError, match=r"PUT /latest/api/token: HTTP 500"):
        Metadata(unwilling.url, lambda _: None).clone()
    assert len(unwilling.paths) == ATTEMPTS


def test_what_is_not_there_is_not_asked_again(unwilling: Unwilling) -> None:
    unwilling.statuses = [200, 404]
    with pytest.raises(ContractError, match="HTTP 404"):
        Metadata(unwilling.url).clone()
    assert len(unwilling.paths) == 2


def test_only_plain_http_on_the_link_is_spoken() -> None:
    with pytest.raises(ContractError, match="is not http"):
        Metadata("file:///etc/passwd")

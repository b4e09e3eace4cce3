"""The report on a machine that is not a clone: what cannot be read is said, and nothing fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from goldfleet.contract import service
from image.report import __main__ as report
from image.report import health, units


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == service.HEALTH_PATH else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, *args: object) -> None:
        return


@pytest.fixture
def app() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), _Healthy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_health_is_what_the_balancer_sees(app: int) -> None:
    assert health.healthy("127.0.0.1", app)
    assert not health.healthy("127.0.0.1", 1)


@pytest.mark.parametrize(
    ("state", "mounted", "words"),
    [
        ({"ActiveState": "inactive"}, False, "its volume is missing"),
        ({"ActiveState": "failed", "NRestarts": "4"}, True, "was started 5 times"),
        ({"ActiveState": "inactive"}, True, "was not started"),
    ],
)
def test_why_an_app_never_becomes_healthy(state: dict[str, str], mounted: bool, words: str) -> None:
    assert units.ended(state)
    assert words in health.why(state, mounted=mounted)


@pytest.mark.parametrize("state", ["active", "activating", "deactivating"])
def test_an_app_that_may_still_come_is_waited_for(state: str) -> None:
    assert not units.ended({"ActiveState": state})


def test_what_systemd_says_is_read() -> None:
    assert units.properties("ActiveState=active\nResult=success\n\n") == {"ActiveState": "active", "Result": "success"}
    assert units.exposure("\n→ Overall exposure level for goldfleet-app.service: 1.2 OK :-)\n") == 1.2
    assert units.exposure("no such unit") is None
    assert units.ask("/no/such/program") == ""


def test_every_part_is_there_and_the_line_is_json(tmp_path: Path) -> None:
    told = report.look(healthy=True, key_folders=[str(tmp_path)])
    assert json.loads(json.dumps(told)) == told
    assert told["healthy"]
    parts = {"seconds", "app", "exposure", "failed_units", "sockets", "writes", "mounts", "logins", "keys"}
    assert told.keys() == parts | {"healthy", "machine_id", "slowest", "problems"}

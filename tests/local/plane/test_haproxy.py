"""The balancer answers as an ALB does. A real HAProxy between a test client and small servers."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from goldfleet.errors import LocalCloudError
from local.plane.actor import end
from local.plane.address import Address
from local.plane.haproxy import HAProxy
from local.plane.haproxy_api import RuntimeApi
from local.plane.request_log import Answered, RequestLog
from local.plane.target_health import accepts
from local.plane.wanted_balancing import (
    Balancing,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Target,
)
from local.run_folder import RunFolder
from tests.local.plane.cloud import wait_for
from tests.local.plane.specs import CHECK, GROUP

FORWARD = Forward(GROUP.arn)


class Backend(BaseHTTPRequestHandler):
    """Shows the headers it got; `/health` fails on demand; `/drop` hangs up; `/503` is the app's own."""

    seen: list[str]
    sick = False

    def do_GET(self) -> None:
        if self.path == "/drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        type(self).seen.append(self.path)
        status = 503 if self.path == "/503" or (self.path == "/healthz" and self.sick) else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(str(self.headers).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def backend() -> Iterator[tuple[type[Backend], Address]]:
    handler = type("Handler", (Backend,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, Address("127.0.0.1", server.server_address[1])
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Balancer:
    """HAProxy with one listener."""

    def __init__(self, folder: RunFolder, targets: list[Target]) -> None:
        self.targets = targets
        self.api = RuntimeApi(folder.root / "s" / "api.sock")
        self.requests = RequestLog(folder.root / "s" / "requests.sock")
        self.actor = HAProxy(folder, self.api, lambda: self.targets, self.requests)
        # An address that no other test has, and a port that no client is given.
        self.address = Address(f"127.254.{os.getpid() >> 8 & 255}.{os.getpid() & 255}", 8080)

    def spec(self, rule: Rule = FORWARD, idle: int = 2) -> Balancing:
        group = replace(GROUP, check=replace(CHECK, interval=1, timeout=1))
        return Balancing((LoadBalancer("site", (Listener(self.address, "HTTP", rule),), idle, True),), (group,))

    def get(self, path: str = "/", headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=10)
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, dict(answer.getheaders()), body


@pytest.fixture
def balancer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balancer]:
    folder = RunFolder(tmp_path_factory.mktemp("b"))
    folder.create()
    balancer = Balancer(folder, [])
    process = balancer.actor.start(balancer.spec())
    yield balancer
    end(process, signal.SIGTERM, 5)


def admit(balancer: Balancer, address: Address) -> None:
    balancer.api.add(Target(GROUP.arn, "i-1", address), balancer.spec().target_groups[0])


def test_without_a_target_it_is_503(balancer: Balancer) -> None:
    assert balancer.get()[0] == 503


def test_headers_as_an_alb_sends_them(balancer: Balancer, backend: tuple[type[Backend], Address]) -> None:
    admit(balancer, backend[1])
    sent = {"X-Forwarded-For": "9.9.9.9", "X_Invalid": "1", "X-Forwarded-Proto": "https", "X-Valid": "1"}
    lines = balancer.get("/", sent)[2].splitlines()
    got = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines if line}
    assert got["x-forwarded-for"] == "9.9.9.9, 127.0.0.1"
    assert got["x-forwarded-proto"] == "http"
    assert got["x-forwarded-port"] == str(balancer.address.port)
    assert got["x-valid"] == "1"
    assert "x_invalid" not in got


def test_a_target_that_cannot_be_reached_is_502_and_tried_once(
    balancer: Balancer, backend: tuple[type[Backend], Address]
) -> None:
    admit(balancer, Address("127.0.0.1", free_port()))
    assert balancer.get()[0] == 502
    wait_for(lambda: not balancer.api.inventory().servers["group", "i-1"].up)
    assert balancer.get()[0] == 502, "an ALB asks unhealthy targets when it has no other"
    balancer.api.add(Target(GROUP.arn, "i-2", backend[1]), balancer.spec().target_groups[0])
    assert balancer.get("/drop")[0] == 502
    assert balancer.get("/503")[0] == 503


def test_a_target_that_does_not_answer_in_time_is_504(balancer: Balancer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        admit(balancer, Address("127.0.0.1", silent.getsockname()[1]))
        assert balancer.get()[0] == 504


def test_every_answer_is_counted_with_who_gave_it(balancer: Balancer, backend: tuple[type[Backend], Address]) -> None:
    counted: Counter[Answered] = Counter()
    balancer.get()  # nobody is there: the balancer's own 503
    admit(balancer, backend[1])
    for path in ("/", "/", "/503", "/drop"):
        balancer.get(path)

    def all_of_them() -> bool:
        counted.update(balancer.requests.take())
        return counted.total() >= 5

    wait_for(all_of_them)
    said = Counter((each.target, each.status, each.milliseconds is not None) for each in counted.elements())
    assert {(each.load_balancer, each.target_group) for each in counted} == {("site", "group")}
    assert said == {("", 503, False): 1, ("i-1", 200, True): 2, ("i-1", 503, True): 1, ("i-1", 502, False): 1}


def test_thresholds_take_a_target_out_and_in(balancer: Balancer, backend: tuple[type[Backend], Address]) -> None:
    handler, address = backend
    admit(balancer, address)
    assert balancer.api.inventory().servers["group", "i-1"].up
    handler.sick = True
    down = wait_for(lambda: None if (one := balancer.api.inventory().servers["group", "i-1"]).up else one)
    assert (down.reason, down.status) == ("Target.ResponseCodeMismatch", "503")
    handler.sick = False
    wait_for(lambda: balancer.api.inventory().servers["group", "i-1"].up)


def test_while_no_target_is_healthy_all_are_asked(balancer: Balancer, backend: tuple[type[Backend], Address]) -> None:
    handler, address = backend
    admit(balancer, address)
    handler.sick = True
    wait_for(lambda: not balancer.api.inventory().servers["group", "i-1"].up)
    assert balancer.get()[0] == 200
    balancer.api.drain("group", "i-1")
    assert balancer.get()[0] == 503
    balancer.api.remove("group", "i-1")
    balancer.api.remove("group", "i-1")
    assert balancer.api.inventory().servers == {}


def test_a_drained_target_gets_no_new_request_and_can_be_removed(
    balancer: Balancer, backend: tuple[type[Backend], Address]
) -> None:
    admit(balancer, backend[1])
    assert balancer.get()[0] == 200
    balancer.api.drain("group", "i-1")
    assert balancer.get()[0] == 503
    balancer.api.remove("group", "i-1")
    assert balancer.api.inventory().servers == {}


def test_a_target_that_never_answers_can_be_removed(balancer: Balancer) -> None:
    """As when an ALB's deregistration delay is over: 502 for the request that it still had."""
    answers: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        admit(balancer, Address("127.0.0.1", silent.getsockname()[1]))
        waiting = threading.Thread(target=lambda: answers.append(balancer.get()[0]))
        waiting.start()
        wait_for(lambda: balancer.api.inventory().servers["group", "i-1"].open)
        balancer.api.drain("group", "i-1")
        wait_for(lambda: removed(balancer))
        waiting.join(10)
    assert answers == [502]


def removed(balancer: Balancer) -> bool:
    """Its connection closes a moment after the request was cut off; till then it is still there."""
    balancer.api.remove("group", "i-1")
    return balancer.api.inventory().servers == {}


def test_a_reload_keeps_the_targets(tmp_path: Path, backend: tuple[type[Backend], Address]) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    balancer = Balancer(folder, [Target(GROUP.arn, "i-1", backend[1])])
    before = balancer.spec()
    process = balancer.actor.start(before)
    try:
        assert balancer.get()[0] == 200
        assert balancer.actor.change(process, before, balancer.spec(idle=5)) is process
        assert balancer.get()[0] == 200
        assert set(balancer.api.inventory().servers) == {("group", "i-1")}
        with pytest.raises(LocalCloudError):
            balancer.api.add(Target(GROUP.arn, "i-9", backend[1]), replace(GROUP, name="unknown"))
    finally:
        end(process, signal.SIGTERM, 5)


@pytest.mark.parametrize(
    ("rule", "status", "location"),
    [
        (Redirect("HTTPS", "#{host}", "443", "/#{path}", "#{query}", 301), 301, "https://example.org/a?b=1"),
        (Redirect("#{protocol}", "other.org", "8443", "/new", "", 302), 302, "http://other.org:8443/new"),
        (FixedResponse(404, "text/plain", "it's not here"), 404, None),
    ],
)
def test_actions_that_need_no_target(tmp_path: Path, rule: Rule, status: int, location: str | None) -> None:
    folder = RunFolder(tmp_path)
    folder.create()
    balancer = Balancer(folder, [])
    process = balancer.actor.start(balancer.spec(rule))
    try:
        got, headers, body = balancer.get("/a?b=1", {"Host": "example.org:80"})
    finally:
        end(process, signal.SIGTERM, 5)
    assert got == status
    assert headers.get("location") == location
    if isinstance(rule, FixedResponse):
        assert body == rule.body


@pytest.mark.parametrize(
    ("codes", "status", "accepted"),
    [("200", 200, True), ("200,204", 204, True), ("200-299", 250, True), ("200-299", 300, False), ("200", 503, False)],
)
def test_codes(codes: str, status: int, accepted: bool) -> None:
    assert accepts(codes, status) is accepted

"""Beyond capacity: refused at once and cheaply; what is within it keeps its time, and the health check answers."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app import overload
from app.envelope import Envelope
from app.overload import Overload
from goldfleet.contract import service
from goldfleet.contract.environment import Environment
from tests.app.conftest import PASSWORD, new_name
from tests.app.crowd import Crowd
from tests.app.served import serving
from tests.stores import eventually

AT_ONCE = 3


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.full = asyncio.Event()
        self.started = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started += 1
        if self.started == AT_ONCE:
            self.full.set()
        if scope["path"] == "/slow":
            await self.go.wait()
        if scope["method"] == "POST":
            await Request(scope, receive).body()
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def http(slow: Slow, environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    app = Overload(Envelope(slow, environment), environment, AT_ONCE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.test") as client:
        yield client


async def test_what_is_beyond_the_limit_is_refused_at_once(
    http: httpx.AsyncClient, slow: Slow, environment: Environment
) -> None:
    waiting = [asyncio.create_task(http.get("/slow")) for _ in range(AT_ONCE)]
    await slow.full.wait()
    refused = await http.get("/fast")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "This server is busy" in refused.text
    assert refused.headers["x-goldfleet-instance"] == environment.instance_id
    assert refused.headers["cache-control"] == "no-store"
    assert (await http.get("/api/v1/feed")).headers["content-type"] == "application/problem+json"
    assert (await http.get("/healthz")).status_code == 200
    slow.go.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
    assert (await http.get("/fast")).status_code == 200


async def test_a_second_of_refusals_is_one_line_of_the_log(
    http: httpx.AsyncClient, slow: Slow, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overload, "TELL", 0.2)
    waiting = [asyncio.create_task(http.get("/slow")) for _ in range(AT_ONCE)]
    await slow.full.wait()
    await asyncio.gather(*(http.get("/fast") for _ in range(50)))

    async def told() -> bool:
        return bool(caplog.messages)

    await eventually(told)
    assert caplog.messages == ["busy: 3 requests in progress, 50 refused in 0 s"]
    slow.go.set()
    await asyncio.gather(*waiting)


async def test_whoever_sends_slowly_takes_nobodys_place(http: httpx.AsyncClient, slow: Slow) -> None:
    more = asyncio.Event()
    sending = [asyncio.create_task(http.post("/", content=in_two_parts(more))) for _ in range(2 * AT_ONCE)]
    await has_started(slow, 2 * AT_ONCE)
    assert (await http.get("/fast")).status_code == 200
    more.set()
    assert {answer.status_code for answer in await asyncio.gather(*sending)} == {200}


async def test_a_body_that_ends_when_no_place_is_left_is_refused(http: httpx.AsyncClient, slow: Slow) -> None:
    more = asyncio.Event()
    sending = asyncio.create_task(http.post("/", content=in_two_parts(more)))
    await has_started(slow, 1)
    waiting = [asyncio.create_task(http.get("/slow")) for _ in range(AT_ONCE)]
    await has_started(slow, 1 + AT_ONCE)
    more.set()
    answer = await sending
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    slow.go.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}


async def in_two_parts(more: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"a"
    await more.wait()
    yield b"b"


async def has_started(slow: Slow, count: int) -> None:
    async def started() -> bool:
        return slow.started == count

    await eventually(started)


GROWTH = 100 * 1024
"""KiB that a process may grow under any load."""
PER_CONNECTION = 100
"""KiB."""
HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "
MOST_OF_A_BODY = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 60000\r\n\r\n" + b"a" * 50_000
)


def test_a_served_process_bounds_its_memory_and_answers_its_health_check(
    environment: Environment, tmp_path: Path, counts: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """As many people at once as there are places, four times and sixteen times as many; none of them waits."""
    seconds, alone = counts(1, 10), 0.0
    with serving(environment, tmp_path / "output") as served:
        with httpx.Client(base_url=served.url) as person:
            person.post("/api/v1/users", json={"name": new_name(), "password": PASSWORD})
            cookie = person.cookies["session"]
        before = resident(served.process.pid)
        for times in (1, 4, 16):
            with Crowd(served.url, cookie, times * overload.REQUESTS) as crowd:
                health = [healthy(served.url) for _ in range(4 * seconds)]
            assert set(health) == {200}
            assert crowd.answers.keys() <= {200, 503}
            assert crowd.answers[200] > 0
            alone = alone or crowd.median
            size = resident(served.process.pid)
            assert size - before < GROWTH
            served_a_second, refused = (crowd.answers[status] / crowd.seconds for status in (200, 503))
            tell(
                f"overload, local, {times} x {overload.REQUESTS} people: {served_a_second:.0f} served/s, "
                f"{refused:.0f} refused/s, median of the served {crowd.median * 1000:.0f} ms, "
                f"{crowd.median / alone:.1f} x that of 1 x; resident {size // 1024} MiB, {before // 1024} before"
            )


def test_slow_clients_cost_memory_within_bounds_and_nobody_elses_place(
    environment: Environment, tmp_path: Path, counts: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """People who say nothing, half a head, or most of a body: each at once with all others."""
    each = counts(150, 1000)
    with serving(environment, tmp_path / "output") as served, ExitStack() as stack:
        before = resident(served.process.pid)
        parts = urlsplit(served.url)
        for start in (b"", HALF_A_HEAD, MOST_OF_A_BODY):
            for _ in range(each):
                slow = stack.enter_context(socket.create_connection((parts.hostname or "", parts.port or 80), 10))
                slow.sendall(start)
            assert healthy(served.url) == 200
            assert httpx.get(served.url + "/login", timeout=10).status_code == 200
        size = resident(served.process.pid)
        assert size - before < 3 * each * PER_CONNECTION
        tell(f"slow clients, local: {3 * each} connections; resident {size // 1024} MiB, {before // 1024} before")


def healthy(url: str) -> int:
    """Status of the health check, asked as the balancer does: on a new connection."""
    time.sleep(0.25)
    return httpx.get(url + service.HEALTH_PATH, timeout=10).status_code


def resident(pid: int) -> int:
    """KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])

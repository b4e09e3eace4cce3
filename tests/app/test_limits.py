from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.envelope import Envelope
from app.limits import Limits
from goldfleet.contract.environment import Environment

AT_ONCE = 3


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.full = asyncio.Event()
        self._started = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._started += 1
        if self._started == AT_ONCE:
            self.full.set()
        if scope["path"] == "/slow":
            await self.go.wait()
        await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
async def http(slow: Slow, environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    app = Envelope(Limits(slow, requests=AT_ONCE, seconds=0.2), environment)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.test") as client:
        yield client


async def test_what_is_beyond_the_limit_is_refused_at_once(http: httpx.AsyncClient, slow: Slow) -> None:
    waiting = [asyncio.create_task(http.get("/slow")) for _ in range(AT_ONCE)]
    await slow.full.wait()
    refused = await http.get("/fast")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (await http.get("/api/v1/feed")).headers["content-type"] == "application/problem+json"
    assert (await http.get("/healthz")).status_code == 200
    slow.go.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
    assert (await http.get("/fast")).status_code == 200


async def test_what_takes_too_long_is_ended_and_gives_its_place_back(http: httpx.AsyncClient) -> None:
    for _ in range(4):
        answer = await http.get("/slow")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "took too long" in answer.text
    assert (await http.get("/fast")).status_code == 200


async def test_a_timeout_of_the_apps_own_is_not_taken_for_the_deadline(environment: Environment) -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError

    app = Envelope(Limits(failing), environment)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://site.test") as client:
        assert (await client.get("/")).status_code == 500

"""What takes too long is ended, and gives its place back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.envelope import Envelope
from app.limits import Limits
from app.overload import Overload
from goldfleet.contract.environment import Environment

AT_ONCE = 3


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.Event().wait()
    await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
async def http(environment: Environment) -> AsyncIterator[httpx.AsyncClient]:
    limited = Overload(Envelope(Limits(app, seconds=0.2), environment), environment, AT_ONCE)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=limited), base_url="http://site.test") as client:
        yield client


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

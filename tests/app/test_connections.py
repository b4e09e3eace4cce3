"""Who does not come to the point loses its connection; whoever comes is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app import connections
from app.connections import Connection
from tests.stores import eventually

OPEN = 10


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("done")(scope, receive, send)


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(connections, "CONNECTIONS", OPEN)
    config = uvicorn.Config(app, port=0, http=Connection, lifespan="off", log_config=None, timeout_keep_alive=60)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


HalfAHead = Callable[[], Awaitable[asyncio.StreamReader]]


@pytest.fixture
async def half_a_head(port: int) -> AsyncIterator[HalfAHead]:
    """Makes connections of people who never finish what they say."""
    writers = []

    async def connect() -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        writers.append(writer)
        return reader

    yield connect
    for writer in writers:
        writer.close()


async def answers(port: int) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200


async def test_beyond_the_bound_who_has_waited_longest_goes(port: int, half_a_head: HalfAHead) -> None:
    slow = [await half_a_head() for _ in range(OPEN)]
    await answers(port)
    assert await slow[0].read() == b""
    more = [await half_a_head() for _ in range(3 * OPEN)]
    await answers(port)
    assert [await reader.read() for reader in [*slow, *more[:-OPEN]]] == [b""] * (3 * OPEN)
    assert not more[-1].at_eof()


async def test_a_head_that_takes_too_long_is_not_waited_for(
    port: int, half_a_head: HalfAHead, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = await half_a_head()
    await answers(port)
    assert not slow.at_eof()
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.0)
    await answers(port)
    assert await slow.read() == b""


async def test_a_kept_connection_is_used_again(port: int) -> None:
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(limits=limits) as client:
        for _ in range(3 * OPEN):
            assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200

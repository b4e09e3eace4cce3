"""How a connection ends tells what kind of failure it was; what ends between two requests is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chaos.connection import Connection, NoAnswer, Silence

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name: value\r\n\r\nok"
PATIENCE = 0.5


@asynccontextmanager
async def answering(*answers: bytes, close: bool) -> AsyncIterator[Connection]:
    """A connection to a server that gives these answers, a piece at a time, on each connection of its own."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left and await reader.readuntil(b"\r\n\r\n"):
            for byte in left.pop(0):
                writer.write(bytes([byte]))
                await writer.drain()
            if close:
                break
        if not close:
            await asyncio.sleep(4 * PATIENCE)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    connection = Connection(*server.sockets[0].getsockname())
    try:
        yield connection
    finally:
        connection.close()
        server.close()


async def asked(connection: Connection) -> str:
    """The body, or why there was none."""
    try:
        answer = await connection.request("GET", "/", {}, patience=PATIENCE)
    except NoAnswer as none:
        return none.silence
    return answer.body.decode()


async def test_answers_on_one_connection() -> None:
    async with answering(GOOD, GOOD, close=False) as connection:
        assert [await asked(connection), await asked(connection)] == ["ok", "ok"]
        assert connection.reopened == 0


async def test_a_connection_closed_between_two_requests_costs_nothing() -> None:
    async with answering(GOOD, GOOD, close=True) as connection:
        assert await asked(connection) == "ok"
        await asyncio.sleep(0.05)  # the other end's goodbye must be here
        assert await asked(connection) == "ok"
        assert connection.reopened == 1


@pytest.mark.parametrize(
    ("answer", "close", "silence"),
    [
        (b"", True, Silence.CLOSED),
        (GOOD[:-1], True, Silence.CUT),
        (GOOD[:-1], False, Silence.LATE),
        (b"", False, Silence.LATE),
        (b"HTTP/1.1 200 OK\r\n\r\n", False, Silence.GARBLED),
        (b"good day\r\n\r\n", False, Silence.GARBLED),
    ],
)
async def test_no_answer(answer: bytes, close: bool, silence: Silence) -> None:
    async with answering(answer, GOOD, close=close) as connection:
        assert await asked(connection) == silence


async def test_nobody_is_there() -> None:
    async with answering(close=True) as gone:
        pass
    assert await asked(gone) == Silence.REFUSED

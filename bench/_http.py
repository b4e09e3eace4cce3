"""Load over HTTP/1.1 on kept connections: each reply is compared with what must be in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CONNECTIONS = 32


@dataclass(frozen=True)
class Request:
    """A GET and what its reply must say."""

    path: str
    cookie: str
    expected: str


@dataclass(frozen=True)
class Reply:
    """Status, the cookie that it sets (`NAME=VALUE`) or an empty text, and the body."""

    status: int
    cookie: str
    body: str


async def load(port: int, requests: Sequence[Request]) -> list[Reply]:
    """Sends all requests, 32 at a time.

    Raises:
        AssertionError: a reply is another one than expected.
    """
    replies: list[Reply] = []
    left = iter(requests)
    await asyncio.gather(*(_ask_all(port, left, replies) for _ in range(CONNECTIONS)))
    return replies


async def _ask_all(port: int, requests: Iterator[Request], replies: list[Reply]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in requests:
            cookie = f"cookie: {request.cookie}\r\n" if request.cookie else ""
            writer.write(f"GET {request.path} HTTP/1.1\r\nhost: localhost\r\n{cookie}\r\n".encode())
            reply = await _reply(reader)
            assert (reply.status, reply.body) == (200, request.expected), (request, reply)
            replies.append(reply)
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *headers = head.split("\r\n")
    told = {name.lower(): value for name, _, value in (header.partition(": ") for header in headers)}
    body = await reader.readexactly(int(told["content-length"]))
    return Reply(int(status.split()[1]), told.get("set-cookie", "").partition(";")[0], body.decode())

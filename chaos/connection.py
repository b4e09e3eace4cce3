"""One kept HTTP/1.1 connection, as a browser keeps it; how it ends tells what kind of failure a person saw.

Own and small, because it must tell three things apart that clients blend: a connection that was closed between
requests, which nobody notices; one that was closed under a request; and an answer that did not come in time.
Source: RFC 9112, sections 6 and 9.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

HEAD_END = b"\r\n\r\n"
HEAD_LIMIT = 64 * 1024


class Silence(StrEnum):
    """Why there was no answer."""

    REFUSED = "no connection"
    CLOSED = "connection closed before an answer"
    CUT = "connection closed in the middle of an answer"
    LATE = "no answer in time"
    GARBLED = "not an HTTP answer"


class NoAnswer(Exception):
    """A request without a whole answer."""

    def __init__(self, silence: Silence) -> None:
        super().__init__(silence.value)
        self.silence = silence


@dataclass(frozen=True)
class Answer:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Sends one request after the other to one site.

    Args:
        host, port: of the site.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._wire: _Wire | None = None
        self.reopened = 0
        """How often the kept connection was found closed before a request was sent."""

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, patience: float
    ) -> Answer:
        """Sends a request and returns its answer, if it comes within `patience` seconds, connecting included.

        Raises:
            NoAnswer: there is none, or not all of it; the next request opens a connection of its own.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._address[0]}:{self._address[1]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method not in {"GET", "HEAD"}:
            lines.append(f"Content-Length: {len(body)}")
        head = "\r\n".join(lines).encode() + HEAD_END
        try:
            async with asyncio.timeout(patience):
                wire = await self._open()
                answer = await wire.exchange(head + body)
        except TimeoutError as error:
            self.close()
            raise NoAnswer(Silence.LATE) from error
        except OSError as error:
            self.close()
            raise NoAnswer(Silence.REFUSED) from error
        except NoAnswer:
            self.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.close()
        return answer

    def close(self) -> None:
        """Ends the connection; fine when there is none."""
        if self._wire is not None:
            self._wire.abort()
            self._wire = None

    async def _open(self) -> _Wire:
        if self._wire is not None and self._wire.closed:
            self.reopened += 1
            self._wire = None
        if self._wire is None:
            _, self._wire = await asyncio.get_running_loop().create_connection(_Wire, *self._address)
        return self._wire


class _Wire(asyncio.Protocol):
    """The bytes of one connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None
        self.closed = False

    async def exchange(self, request: bytes) -> Answer:
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def abort(self) -> None:
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._waiting is None or self._waiting.done():
            self.abort()  # nobody asked: what comes between requests belongs to none
            return
        try:
            answer = self._whole()
        except (ValueError, IndexError):
            self._waiting.set_exception(NoAnswer(Silence.GARBLED))
            return
        if answer is not None:
            self._waiting.set_result(answer)

    def connection_lost(self, _: Exception | None) -> None:
        self.closed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(NoAnswer(Silence.CUT if self._received else Silence.CLOSED))

    def _whole(self) -> Answer | None:
        """The answer, once all of it is here; every server on the way to us announces its length."""
        end = self._received.find(HEAD_END)
        if end < 0:
            if len(self._received) > HEAD_LIMIT:
                raise ValueError("no end of the head")
            return None
        first, *lines = self._received[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ", 2)[1])
        start = end + len(HEAD_END)
        length = 0 if status in {204, 304} else int(headers.get("content-length", "missing"))
        if len(self._received) < start + length:
            return None
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        return Answer(status, headers, body)

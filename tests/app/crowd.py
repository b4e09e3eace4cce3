"""Many people at once, as cheap as can be: what is measured is the app, not who asks it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from http import HTTPStatus
from statistics import median
from time import monotonic
from types import TracebackType
from urllib.parse import urlsplit

PAUSE = 0.5
"""Seconds between a refusal and the next try: impatient people, the app says 1."""
CLOSED = 0
"""Counted among the answers: a connection that was closed instead of one."""


class Crowd:
    """While inside, each of `people` asks for the first page again as soon as it has been answered, logged in.

    Args:
        url: of the app.
        cookie: of the session.
        people: how many.

    Attributes:
        answers: how many there were of each status.
    """

    def __init__(self, url: str, cookie: str, people: int) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._request = f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: session={cookie}\r\n\r\n".encode()
        self._people = people
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self._times: list[float] = []
        self.answers: Counter[int] = Counter()
        self.seconds = 0.0

    @property
    def median(self) -> float:
        """Seconds that a served request took."""
        return median(self._times)

    def __enter__(self) -> Crowd:
        self._began = monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.seconds = monotonic() - self._began

    async def _all(self) -> None:
        await asyncio.gather(*(self._person() for _ in range(self._people)))

    async def _person(self) -> None:
        while not self._stop.is_set():
            reader, writer = await asyncio.open_connection(*self._address)
            try:
                await self._ask(reader, writer)
            except (OSError, asyncio.IncompleteReadError):
                self.answers[CLOSED] += 1
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Asks on one connection until it is closed, or time to stop."""
        while not self._stop.is_set():
            began = monotonic()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            status = int(head[9:12])
            self.answers[status] += 1
            if status == HTTPStatus.OK:
                self._times.append(monotonic() - began)
            else:
                await asyncio.sleep(PAUSE)

"""Many people at once, as cheap as can be: what is measured is the app, not who asks it."""

from __future__ import annotations

import asyncio
from collections import Counter
from statistics import median
from time import monotonic
from types import TracebackType
from urllib.parse import urlsplit

PAUSE = 0.1
"""Seconds between a refusal and the next try: impatient people, the app says 1."""


class Crowd:
    """While inside, each of `people` asks for the first page again as soon as it has been answered, logged in.

    Args:
        url: of the app.
        cookie: of the session.
        people: how many.
    """

    def __init__(self, url: str, cookie: str, people: int) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._request = f"GET / HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: session={cookie}\r\n\r\n".encode()
        self._people = people
        self._stop = False
        self._times: list[float] = []
        self.answers: Counter[int] = Counter()
        self.seconds = 0.0

    @property
    def median(self) -> float:
        """Seconds that a served request took."""
        return median(self._times)

    async def __aenter__(self) -> Crowd:
        self._began = monotonic()
        self._all = asyncio.gather(*(self._person() for _ in range(self._people)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop = True
        await self._all
        self.seconds = monotonic() - self._began

    async def _person(self) -> None:
        reader, writer = await asyncio.open_connection(*self._address)
        while not self._stop:
            began = monotonic()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            status = int(head[9:12])
            self.answers[status] += 1
            if status == 200:
                self._times.append(monotonic() - began)
            else:
                await asyncio.sleep(PAUSE)
        writer.close()

"""People who use the site all the time: every answer that is not a good one is counted."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from types import TracebackType

import httpx

from tests.fleet.cloud import INSTANCE

PAUSE = 0.02


class Load:
    """While inside, `people` ask for a page one after the other, each on a kept connection.

    Args:
        url: the site.
        cookies: of who is logged in; None for strangers.
        people: how many ask at the same time.
    """

    def __init__(self, url: str, cookies: httpx.Cookies | None = None, people: int = 4) -> None:
        self._url, self._cookies, self._people = url, cookies, people
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self.failures: Counter[str] = Counter()
        self.clones: Counter[str] = Counter()

    @property
    def answered(self) -> int:
        return self.clones.total()

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    async def _all(self) -> None:
        await asyncio.gather(*(self._person() for _ in range(self._people)))

    async def _person(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, cookies=self._cookies, timeout=15) as client:
            while not self._stop.is_set():
                try:
                    answer = await client.get("/")
                except httpx.HTTPError as error:
                    self.failures[repr(error)] += 1
                    continue
                if answer.status_code == 200:
                    self.clones[answer.headers[INSTANCE]] += 1
                else:
                    self.failures[str(answer.status_code)] += 1
                await asyncio.sleep(PAUSE)

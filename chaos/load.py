"""People who use the site for as long as one is inside, in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from types import TracebackType
from urllib.parse import urlsplit

from chaos.browser import TIMEOUT, Browser, monotonic_since
from chaos.journal import Journal
from chaos.person import Person
from chaos.tally import Failure, Tally
from goldfleet.errors import LocalCloudError

PEOPLE = 16
PAUSE = 0.01
"""Seconds between two requests of one person."""
ARRIVAL = 120.0
LONGEST = 4 * TIMEOUT


class Load:
    """While inside, `people` use the site; every second one has a client that repeats GETs.

    Args:
        url: the site.
        people: how many use it at the same time.
        pause: seconds between two requests of one person.

    Raises:
        LocalCloudError: on entering, nobody can sign up.
    """

    def __init__(self, url: str, people: int = PEOPLE, pause: float = PAUSE) -> None:
        self._site = urlsplit(url)
        self._people = people
        self._pause = pause
        self._stop = threading.Event()
        self._arrived = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")
        self._error: BaseException | None = None
        self.now = monotonic_since(time.monotonic())
        self.tally = Tally()
        self.journal = Journal()

    @property
    def failures(self) -> list[Failure]:
        return self.tally.failures

    @property
    def clones(self) -> Counter[str]:
        """Good answers by clone."""
        return self.tally.clones

    @property
    def answered(self) -> int:
        """Good answers."""
        return self.tally.clones.total()

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself, which it never should; leaving raises why."""
        return not self._thread.is_alive()

    def __enter__(self) -> Load:
        self._thread.start()
        self._arrived.wait(ARRIVAL)
        if self._error is not None or not self._arrived.is_set():
            self.__exit__(None, None, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(LONGEST)
        if self._error is not None and error is None:
            raise LocalCloudError(self._site.netloc, f"the load ended: {self._error}", "see `goldfleet status`")

    def _run(self) -> None:
        try:
            asyncio.run(self._all())
        except BaseException as error:  # noqa: BLE001  told to who waits for this thread
            self._error = error
        finally:
            self._arrived.set()

    async def _all(self) -> None:
        browsers = [self._browser(number) for number in range(self._people)]
        people = [Person(browser, self.journal, seed) for seed, browser in enumerate(browsers)]
        try:
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(person.arrive())
            self._arrived.set()
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(self._day(person))
        finally:
            for browser in browsers:
                browser.close()

    async def _day(self, person: Person) -> None:
        while not self._stop.is_set():
            await person.act()
            await asyncio.sleep(self._pause)

    def _browser(self, number: int) -> Browser:
        assert self._site.hostname
        return Browser(self._site.hostname, self._site.port or 80, self.tally, self.now, retrying=number % 2 == 1)

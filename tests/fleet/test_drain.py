"""A clone that leaves gets no new requests and finishes what it has, also what takes seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType

import httpx

from goldfleet.contract.deadlines import DRAIN
from local.events import Events
from tests.fleet.cloud import INSTANCE, Cloud, wait

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PIECES = (b"name=some", b"body&pass", b"word=1234", b"5678&csrf", b"_token=&n", b"ext=/")
PAUSE = 0.6
"""Seconds between two pieces of a body."""
SECONDS = PAUSE * len(PIECES)
LATE = 1.0
"""Seconds within which the balancer has heard that a clone leaves."""


@dataclass(frozen=True)
class Upload:
    """One slow request: which clone answered what, and from when to when, in seconds since 1970."""

    clone: str
    status: int
    began: float
    ended: float


class Uploads:
    """While inside, `people` log in over slow lines, with a name that nobody has: 401 is the right answer."""

    def __init__(self, url: str, people: int) -> None:
        self._url, self._people = url, people
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()))
        self.done: list[Upload] = []

    def __enter__(self) -> Uploads:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    async def _all(self) -> None:
        await asyncio.gather(*(self._person(number) for number in range(self._people)))

    async def _person(self, number: int) -> None:
        await asyncio.sleep(number * SECONDS / self._people)
        async with httpx.AsyncClient(base_url=self._url, timeout=15) as client:
            while not self._stop.is_set():
                began = time.time()
                try:
                    answer = await client.post("/login", content=self._body(), headers=FORM)
                    clone, status = answer.headers.get(INSTANCE, "balancer"), answer.status_code
                except httpx.HTTPError as error:
                    clone, status = repr(error), 0
                self.done.append(Upload(clone, status, began, time.time()))

    async def _body(self) -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece
            await asyncio.sleep(PAUSE)


def test_what_a_leaving_clone_has_begun_it_finishes(cloud: Cloud) -> None:
    assert SECONDS < DRAIN
    cloud.desire(3)
    before = cloud.clones().keys()
    with Uploads(cloud.url, people=12) as uploads:
        wait(lambda: {upload.clone for upload in uploads.done} == before, 30)
        cloud.desire(2)
    assert {upload.status for upload in uploads.done} == {401}
    (left,) = before - cloud.clones().keys()
    draining = next(
        event["time"]
        for event in Events(cloud.run_folder.events).read()
        if event["subject"] == left and event["kind"] == "draining"
    )
    ended = [upload for upload in uploads.done if upload.clone == left and upload.ended > draining]
    assert len(ended) >= 2, "it had nothing to finish, so nothing is proved"
    assert [upload for upload in ended if upload.began > draining + LATE] == []

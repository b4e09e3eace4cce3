"""A clone that leaves gets no new requests and finishes what it has, also what takes seconds."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType

import httpx

from goldfleet.contract.deadlines import DRAIN
from local.events import Events
from tests.fleet.cloud import INSTANCE, Cloud, session, wait

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


def scale_in(cloud: Cloud) -> None:
    cloud.desire(2)


def refresh(cloud: Cloud) -> None:
    """As a rollout does; the version stays."""
    client = session(cloud.recorded_run.endpoint).client("autoscaling")
    bounds = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 200, "InstanceWarmup": 0}
    client.start_instance_refresh(AutoScalingGroupName=cloud.group, Preferences=bounds)

    def succeeded() -> bool:
        refreshes = client.describe_instance_refreshes(AutoScalingGroupName=cloud.group)["InstanceRefreshes"]
        return bool(refreshes[0]["Status"] == "Successful")

    wait(succeeded, 120)
    cloud.settled(3)


def test_what_a_clone_that_scaling_takes_has_begun_it_finishes(cloud: Cloud) -> None:
    assert_finished(cloud, scale_in, 1)


def test_what_clones_that_a_refresh_replaces_have_begun_they_finish(
    cloud: Cloud, counts: Callable[[int, int], int]
) -> None:
    if counts(0, 1):  # they leave the same way; what a rollout costs people, test_rollout shows each time
        assert_finished(cloud, refresh, 3)
        cloud.desire(2)


def assert_finished(cloud: Cloud, leave: Callable[[Cloud], None], count: int) -> None:
    """Lets `count` of three clones leave while each works on slow requests."""
    assert SECONDS < DRAIN
    cloud.desire(3)
    before = cloud.clones().keys()
    with Uploads(cloud.url, people=12) as uploads:
        wait(lambda: {upload.clone for upload in uploads.done} == before, 30)
        leave(cloud)
        cloud.settled(len(cloud.clones()))
    assert {upload.status for upload in uploads.done} == {401}
    left = before - cloud.clones().keys()
    assert len(left) == count
    for clone in left:
        draining = drained_from(cloud, clone)
        ended = [upload for upload in uploads.done if upload.clone == clone and upload.ended > draining]
        assert ended, "it had nothing to finish, so nothing is proved"
        assert [upload for upload in ended if upload.began > draining + LATE] == []


def drained_from(cloud: Cloud, clone: str) -> float:
    """When the balancer began to send it no new requests, in seconds since 1970."""
    events = Events(cloud.run_folder.events).read()
    return float(next(each["time"] for each in events if each["subject"] == clone and each["kind"] == "draining"))

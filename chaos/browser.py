"""A person's browser: sends requests, repeats GETs if it is one that does, and counts what came of each."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

from chaos.connection import Answer, Connection, NoAnswer
from chaos.tally import Failure, Kind, Tally

TIMEOUT = 15.0
"""Seconds; longer than the app gives a request, so that its own answer is heard."""
PATIENCE = 4.0
"""Seconds of a retrying client for one try of a request that it repeats."""
TRIES = 8
FIRST_PAUSE = 0.1
"""Seconds, doubled each time: all tries together last longer than a health check takes to see a dead clone."""
INSTANCE = "x-goldfleet-instance"
SERVER_ERRORS = 500


class Trouble(NamedTuple):
    """What was not good, as `Failure` says it."""

    kind: Kind
    detail: str
    clone: str = ""
    missing: tuple[int, ...] = ()


@dataclass(frozen=True)
class Reply:
    """An answer that does not say that the site has failed.

    Args:
        at: when the request was sent, seconds since the load began.
        request: method and path.
        answer: what came.
    """

    at: float
    request: str
    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def clone(self) -> str:
        return self.answer.headers.get(INSTANCE, "")

    @property
    def content(self) -> dict[str, Any]:
        return as_json(self.answer)


class Browser:
    """One person's requests, one after the other.

    Args:
        host, port: of the site.
        tally: where they are counted.
        clock: seconds since the load began.
        retrying: repeats GETs that were not answered well.
    """

    def __init__(self, host: str, port: int, tally: Tally, clock: Callable[[], float], *, retrying: bool) -> None:
        self._connection = Connection(host, port)
        self._tally = tally
        self._clock = clock
        self.retrying = retrying
        self.cookie = ""
        self.csrf = ""

    async def get(self, path: str) -> Reply | None:
        """The reply; None where there was none or the site failed, which is counted."""
        return await self._counted("GET", path, b"", TRIES if self.retrying else 1)

    async def post(self, path: str, content: dict[str, str]) -> Reply | None:
        """The same; a POST is sent once, because nobody knows whether an unanswered one was done."""
        return await self._counted("POST", path, json.dumps(content).encode(), 1)

    def wrong(self, reply: Reply, what: str, missing: tuple[int, ...] = ()) -> None:
        """Counts a reply as wrong."""
        self._fail(reply.at, reply.request, Trouble(Kind.WRONG, what, reply.clone, missing))

    def close(self) -> None:
        self._tally.reopened += self._connection.reopened
        self._connection.close()

    async def _counted(self, method: str, path: str, body: bytes, tries: int) -> Reply | None:
        at, request = self._clock(), f"{method} {path}"
        patience = PATIENCE if tries > 1 else TIMEOUT
        answer, trouble = await self._try(method, path, body, patience)
        for repeated in range(tries - 1):
            if trouble is None:
                break
            self._tally.retried += repeated == 0
            await asyncio.sleep(FIRST_PAUSE * 2**repeated)
            answer, trouble = await self._try(method, path, body, patience)
        self._tally.add(at, self._clock() - at)
        if trouble is not None or answer is None:
            self._fail(at, request, trouble or Trouble(Kind.SILENT, ""))
            return None
        reply = Reply(at, request, answer)
        self._tally.clones[reply.clone] += 1
        return reply

    async def _try(self, method: str, path: str, body: bytes, patience: float) -> tuple[Answer | None, Trouble | None]:
        try:
            answer = await self._connection.request(method, path, self._headers(body), body, patience=patience)
        except NoAnswer as error:
            return None, Trouble(Kind.SILENT, error.silence.value)
        return answer, _trouble(answer)

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Cookie": f"session={self.cookie}"} if self.cookie else {}
        return {**headers, "Content-Type": "application/json", "X-CSRF-Token": self.csrf} if body else headers

    def _fail(self, at: float, request: str, trouble: Trouble) -> None:
        kind, detail, clone, missing = trouble
        seconds = round(self._clock() - at, 3)
        failure = Failure(round(at, 3), seconds, kind, detail, request, clone, self.retrying, missing)
        self._tally.failures.append(failure)


def as_json(answer: Answer) -> dict[str, Any]:
    """A JSON answer; empty if it is none."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def monotonic_since(start: float) -> Callable[[], float]:
    """A clock that was zero at `start`."""
    return lambda: time.monotonic() - start


def _trouble(answer: Answer) -> Trouble | None:
    """What an answer tells of a failure of the site; None for every other."""
    if answer.status < SERVER_ERRORS:
        return None
    clone = answer.headers.get(INSTANCE, "")
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in answer.headers:
        return Trouble(Kind.REFUSED, "503", clone)
    return Trouble(Kind.ERROR, f"{answer.status} from {'the clone' if clone else 'the balancer'}", clone)

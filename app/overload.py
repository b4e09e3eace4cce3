"""Bounds the requests in progress: what is beyond is refused at once, so that what is within keeps its time.

A refusal is cheap: its bytes are made once, and one log line tells of all refusals of a second. The health check has no
bound: a process that is busy is not a process that is dead.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.answers import API, answer
from app.envelope import security_headers
from app.facts import NONE, Facts
from app.log import log
from app.problems import unavailable
from goldfleet.contract import service
from goldfleet.contract.environment import Environment

REQUESTS = 64
"""Requests in progress at once. Fewer would keep waiting for a slow store from being served beside the rest."""
BUSY = "This server is busy. Please try again."
TELL = 1.0
"""Seconds between two log lines about refusals."""


class Overload:
    """The outermost ASGI middleware.

    Args:
        app: what answers within the bound.
        environment: which clone this is.
        requests: in progress at once; beyond that the answer is 503 with Retry-After.
    """

    def __init__(self, app: ASGIApp, environment: Environment, requests: int = REQUESTS) -> None:
        self._app = app
        self._requests = requests
        self._in_progress = 0
        self._refused = 0
        self._page, self._problem = _refusal("/", environment), _refusal(API + "/", environment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == service.HEALTH_PATH:
            await self._app(scope, receive, send)
        elif self._in_progress >= self._requests:
            self._count_refusal()
            refusal = self._problem if scope["path"].startswith(API + "/") else self._page
            await refusal(scope, receive, send)
        else:
            self._in_progress += 1
            try:
                await self._app(scope, self._patient(receive), send)
            finally:
                self._in_progress -= 1

    def _patient(self, receive: Receive) -> Receive:
        """`receive` that gives the request's place away while it waits for the rest of a slow client's body."""
        complete = False

        async def received() -> Message:
            nonlocal complete
            if complete:
                return await receive()
            self._in_progress -= 1
            try:
                message = await receive()
            finally:
                self._in_progress += 1
            complete = not message.get("more_body", False)
            if self._in_progress > self._requests:
                self._count_refusal()
                raise unavailable(BUSY)
            return message

        return received

    def _count_refusal(self) -> None:
        if not self._refused:
            asyncio.get_running_loop().call_later(TELL, self._tell)
        self._refused += 1

    def _tell(self) -> None:
        log.warning("busy: %d requests in progress, %d refused in %.0f s", self._in_progress, self._refused, TELL)
        self._refused = 0


def _refusal(path: str, environment: Environment) -> Response:
    """The answer for a path of this kind; it may be sent any number of times."""
    facts = Facts(environment.instance_id, environment.zone, environment.release, request_id=NONE)
    scope = {"path": path, "state": {"facts": facts}}
    response = answer(scope, unavailable(BUSY))
    headers = MutableHeaders(raw=response.raw_headers)
    for name, value in {**security_headers(environment.public_url), **facts.headers()}.items():
        headers.setdefault(name, value)
    return response

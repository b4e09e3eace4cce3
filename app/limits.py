"""How much this process takes on: requests at once, seconds and bytes per request.

What is beyond a limit is refused at once and cheaply, so that what is within it still works. The health check has no
limit: a process that is busy is not a process that is dead.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.problems import too_large, unavailable
from goldfleet.contract import deadlines, service

REQUESTS = 64
"""Requests in progress at once."""
BODY = 64 * 1024
"""Bytes of a request's body."""


class Limits:
    """ASGI middleware that refuses what is too much.

    Args:
        app: what answers within the limits.
        requests: requests in progress at once.
        seconds: time for one request, from its head to the end of its answer.

    Raises:
        Problem: 503, too many requests or too slow a one; 413, the body announces more than `BODY` bytes.
    """

    def __init__(self, app: ASGIApp, requests: int = REQUESTS, seconds: float = deadlines.REQUEST) -> None:
        self._app = app
        self._requests = requests
        self._seconds = seconds
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == service.HEALTH_PATH:
            return await self._app(scope, receive, send)
        if self._in_progress >= self._requests:
            raise unavailable("This server is busy. Please try again.")
        _refuse_announced_body(scope)
        self._in_progress += 1
        try:
            await self._in_time(scope, receive, send)
        finally:
            self._in_progress -= 1

    async def _in_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds) as deadline:
                await self._app(scope, receive, send)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise unavailable("This took too long. Please try again.") from error


def _refuse_announced_body(scope: Scope) -> None:
    announced = Headers(scope=scope).get("content-length", "0")
    if announced.isdigit() and int(announced) > BODY:
        raise too_large(BODY)

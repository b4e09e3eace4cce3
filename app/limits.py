"""How much one request may take: seconds and bytes. How many requests there may be is a matter of `overload`."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.problems import too_large, unavailable
from goldfleet.contract import deadlines

BODY = 64 * 1024
"""Bytes of a request's body."""


class Limits:
    """ASGI middleware that refuses what is too much.

    Args:
        app: what answers within the limits.
        seconds: time for one request, from its head to the end of its answer.

    Raises:
        Problem: 503, the request took too long; 413, the body announces more than `BODY` bytes.
    """

    def __init__(self, app: ASGIApp, seconds: float = deadlines.REQUEST) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        _refuse_announced_body(scope)
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

"""Goldfleet's sessions in Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bench.session_apps.ours import access, answer
from goldfleet.state.asgi import SessionMiddleware
from goldfleet.state.sessions import Sessions
from goldfleet.state.store import Store

_opened: list[Sessions] = []


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    _opened.append(Sessions(Store(access, "sessions")))
    yield


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await answer(request.state.visitor, request.url.path, request.url.query))


app = Starlette(
    routes=[Route(path, page) for path in ("/", "/set", "/login")],
    middleware=[Middleware(SessionMiddleware, lambda: _opened[0], "http://localhost")],
    lifespan=lifespan,
)

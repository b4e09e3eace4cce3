"""starsessions in Starlette."""

from __future__ import annotations

from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.session import regenerate_session_id
from starsessions.stores.redis import RedisStore

from bench.session_apps import store_url


async def page(request: Request) -> PlainTextResponse:
    text = request.url.query
    if request.url.path == "/login":
        regenerate_session_id(request)
    if request.url.path != "/":
        request.session["text"] = text
    return PlainTextResponse(request.session["text"])


store = RedisStore(connection=Redis.from_url(store_url()))
app = Starlette(
    routes=[Route(path, page) for path in ("/", "/set", "/login")],
    middleware=[
        Middleware(SessionMiddleware, store=store, lifetime=3600, cookie_https_only=False),
        Middleware(SessionAutoloadMiddleware),
    ],
)

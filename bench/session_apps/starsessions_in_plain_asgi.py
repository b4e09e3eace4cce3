"""starsessions in a plain ASGI application."""

from __future__ import annotations

from redis.asyncio import Redis
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.stores.redis import RedisStore

from bench.session_apps import store_url
from goldfleet.state.asgi import Receive, Scope, Send


async def page(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["path"] == "/login":
        scope["session_handler"].regenerate_id()
    if scope["path"] != "/":
        scope["session"]["text"] = scope["query_string"].decode()
    body = scope["session"]["text"].encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


store = RedisStore(connection=Redis.from_url(store_url()))
loaded = SessionAutoloadMiddleware(page)
with_sessions = SessionMiddleware(loaded, store, lifetime=3600, cookie_https_only=False)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Without Starlette nobody else answers the server's lifespan."""
    if scope["type"] != "lifespan":
        await with_sessions(scope, receive, send)
        return
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})

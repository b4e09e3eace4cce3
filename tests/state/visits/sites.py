"""The two sites. Both load the session, think for a while, and then do what was asked.

What is asked: `login` USER, `logout`, `rotate`, `set` NAME VALUE, `who`, `everywhere` USER (ours only).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import BlockingConnectionPool, Redis
from starlette.requests import HTTPConnection
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.session import regenerate_session_id
from starsessions.stores.redis import RedisStore

from goldfleet.contract.environment import StoreAccess
from goldfleet.state import asgi
from goldfleet.state.access import read_password
from goldfleet.state.exceptions import LoginNeeded, SessionEnded
from goldfleet.state.sessions import Sessions
from goldfleet.state.store import Store

ALIAS = 1.0
"""Seconds for which a rotated id is still good, in place of 10: a test waits for its end."""
SITES = ("ours", "theirs")


class Visit(msgspec.Struct, array_like=True, frozen=True):
    """A request.

    Args:
        what: and its words, as above.
        cookie: the token, or an empty text.
        delay, think: seconds before the request, and between loading the session and acting.
    """

    what: tuple[str, ...]
    cookie: str = ""
    delay: float = 0
    think: float = 0


class Seen(msgspec.Struct, array_like=True, frozen=True):
    """An answer: who is logged in and what their session holds, and the cookie to send from now on."""

    user: int | None
    fields: dict[str, str]
    cookie: str


@dataclass
class _Answer:
    user: int | None = None
    fields: Mapping[str, str] | None = None


async def _ours(sessions: Sessions, visitor: asgi.Visitor, visit: Visit) -> _Answer:
    name, *words = visit.what
    try:
        match name:
            case "login":
                await visitor.log_in(int(words[0]))
            case "logout":
                await visitor.log_out()
            case "rotate":
                await visitor.rotate()
            case "set":
                await visitor.require().set(words[0], words[1])
            case "everywhere":
                await sessions.end_all(int(words[0]))
    except (LoginNeeded, SessionEnded):
        return _Answer()
    return _Answer(visitor.session.user_id, visitor.session.fields) if visitor.session else _Answer()


async def _theirs(connection: HTTPConnection, visit: Visit) -> _Answer:
    name, *words = visit.what
    match name:
        case "login":
            regenerate_session_id(connection)
            connection.session["user"] = int(words[0])
        case "logout":
            connection.session.clear()
        case "rotate":
            regenerate_session_id(connection)
        case "set":
            connection.session[words[0]] = words[1]
    held = dict(connection.session)
    return _Answer(held.pop("user", None), held)


class Sites:
    """Both sites on one store."""

    def __init__(self, access: StoreAccess) -> None:
        store = Store(access, "sessions")
        sessions = Sessions(store, alias=ALIAS)
        password = read_password(access.password_file)
        url = f"redis://{access.username}:{password}@{access.primary}/0"
        redis = Redis(connection_pool=BlockingConnectionPool.from_url(url, max_connections=32, timeout=60))

        async def ours(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
            visit: Visit = scope["visit"]
            await asyncio.sleep(visit.think)
            scope["answer"] = await _ours(sessions, scope["state"]["visitor"], visit)
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def theirs(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
            visit: Visit = scope["visit"]
            await asyncio.sleep(visit.think)
            scope["answer"] = await _theirs(HTTPConnection(scope), visit)
            await send({"type": "http.response.start", "status": 200, "headers": []})

        loaded = SessionAutoloadMiddleware(theirs)
        self._apps: dict[str, asgi.Application | Callable[..., Any]] = {
            "ours": asgi.SessionMiddleware(ours, lambda: sessions, "http://localhost"),
            "theirs": SessionMiddleware(loaded, RedisStore(connection=redis), lifetime=3600, cookie_https_only=False),
        }

    async def visit(self, site: str, visit: Visit) -> Seen:
        """Sends a request through a site's middleware."""
        await asyncio.sleep(visit.delay)
        headers = [(b"cookie", f"session={visit.cookie}".encode())] if visit.cookie else []
        scope: dict[str, Any] = {"type": "http", "path": "/", "headers": headers, "visit": visit}
        cookie = visit.cookie

        async def receive() -> asgi.Message:
            return {"type": "http.request"}

        async def send(message: asgi.Message) -> None:
            nonlocal cookie
            for name, value in message["headers"]:
                if name.lower() == b"set-cookie":
                    cookie = value.decode().partition(";")[0].partition("=")[2].strip("'")

        await self._apps[site](scope, receive, send)
        answer: _Answer = scope["answer"]
        return Seen(answer.user, dict(answer.fields or {}), cookie)

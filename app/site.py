"""The whole app put together: overload, envelope, limits, session, then pages, API, health and files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app import api, health, outbox, pages, vitals
from app.answers import API, HANDLERS
from app.envelope import Envelope
from app.feed import SqlFeed
from app.forgery import refuse_other_sites
from app.limits import BODY, Limits
from app.overload import Overload
from app.passwords import Passwords
from app.rendering import FOLDER
from app.visit import Visit
from goldfleet.contract.environment import Environment
from goldfleet.state.asgi import SessionMiddleware
from goldfleet.state.sessions import Sessions
from goldfleet.state.state import State
from goldfleet.state.tasks import end


class Files(StaticFiles):
    """Files that a browser keeps and asks about each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


class Site:
    """The app as an ASGI application; it opens its stores at startup and closes them at shutdown (ASGI lifespan).

    Args:
        environment: where the stores are, and which clone this is.
        passwords: how passwords are hashed.
    """

    def __init__(self, environment: Environment, passwords: Passwords) -> None:
        self._environment = environment
        self._passwords = passwords
        # Where the machine writes what changes while the app runs; a tmpfs.
        self._memory_folder = Path(environment.shards[0].replicas_file).parent
        self._feed = SqlFeed()
        self._stores: State | None = None
        visits = self._with_visit(self._routed())
        limited = Limits(SessionMiddleware(visits, self._sessions, environment.public_url))
        self._app = Overload(Envelope(limited, environment), environment)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Opens the stores, and closes them at the end of the block."""
        self._stores = await State.open(self._environment)
        tasks = [
            asyncio.create_task(outbox.relay(self._stores)),
            asyncio.create_task(vitals.watch(self._memory_folder)),
        ]
        try:
            yield
        finally:
            await end(tasks)
            self._passwords.close()
            await self._stores.close()

    @property
    def _state(self) -> State:
        if self._stores is None:
            raise RuntimeError("the app was not started: run it in a server with ASGI lifespan")
        return self._stores

    def _sessions(self) -> Sessions:
        return self._state.sessions

    def _with_visit(self, app: ASGIApp) -> ASGIApp:
        async def visited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                state = scope["state"]
                state["visit"] = Visit(self._state, state["facts"], state["visitor"])
                state["passwords"], state["feed"] = self._passwords, self._feed
                state["memory_folder"] = self._memory_folder
                refuse_other_sites(scope["method"], Headers(scope=scope))
            await app(scope, receive, send)

        return visited

    def _routed(self) -> Starlette:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with self.running():
                yield

        files = Mount("/static", Files(directory=FOLDER / "static"))
        routes = [*health.ROUTES, *pages.ROUTES, files, Mount(API, api.create())]
        routed = Starlette(routes=routes, exception_handlers=HANDLERS, lifespan=lifespan, max_body_size=BODY)
        routed.router.redirect_slashes = False
        return routed

"""Goldfleet's sessions in a plain ASGI application."""

from __future__ import annotations

from bench.session_apps import store_access
from goldfleet.state.asgi import Receive, Scope, Send, SessionMiddleware, Visitor
from goldfleet.state.sessions import Sessions
from goldfleet.state.store import Store

access = store_access()


class Pages:
    """Opens the store in the server's event loop."""

    sessions: Sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.sessions = Sessions(Store(access, "sessions"))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body = (await answer(scope["state"]["visitor"], scope["path"], scope["query_string"].decode())).encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def answer(visitor: Visitor, path: str, text: str) -> str:
    """What the page says."""
    session = await visitor.log_in(int(text[-5:])) if path == "/login" else visitor.require()
    if path != "/":
        await session.set("text", text)
    return session.fields["text"]


pages = Pages()
app = SessionMiddleware(pages, lambda: pages.sessions, "http://localhost")

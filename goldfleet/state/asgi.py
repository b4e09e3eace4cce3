"""Sessions for any ASGI application: the cookie comes in, the cookie goes out.

>>> app = SessionMiddleware(app, lambda: state.sessions, environment.public_url)

A handler finds its visitor under `scope["state"]["visitor"]` (in Starlette and FastAPI `request.state.visitor`):

>>> async def handler(scope, receive, send):
...     visitor = scope["state"]["visitor"]
...     session = visitor.require()       # LoginNeeded, or SessionsDown, if there is none
...     await visitor.log_out()

What the handler lets through as `Unavailable` (sessions or database down) is answered with 503 and Retry-After.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from goldfleet.state.exceptions import LoginNeeded, SessionsDown, Unavailable
from goldfleet.state.sessions import Session, Sessions

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

VISITOR = "visitor"


class SessionCookie:
    """The cookie that holds the token; its flags follow the scheme under which people see the site.

    Over HTTPS it is Secure and its name starts with `__Host-`, so no other host can set it (RFC 6265bis).

    Args:
        public_url: scheme, host and port of the site.
        lifetime: seconds that a browser keeps it.
    """

    def __init__(self, public_url: str, lifetime: int) -> None:
        secure = urlsplit(public_url).scheme == "https"
        self.name = "__Host-session" if secure else "session"
        self._flags = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
        self._lifetime = lifetime

    def token(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """The token that a request brought, or None."""
        for name, value in headers:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";"):
                    key, _, token = pair.strip().partition("=")
                    if key == self.name:
                        return token
        return None

    def setting(self, token: str) -> str:
        """The `Set-Cookie` header that gives a browser its token."""
        return f"{self.name}={token}; Max-Age={self._lifetime}{self._flags}"

    def clearing(self) -> str:
        """The `Set-Cookie` header that takes it away."""
        return f"{self.name}=; Max-Age=0{self._flags}"


class Visitor:
    """Who sends this request, and the way to log them in and out.

    Args (made by `SessionMiddleware`):
        session: None for a stranger, and while the sessions store is down.
        down: why no session could be looked up, or None.
    """

    def __init__(self, sessions: Sessions, cookie: SessionCookie, session: Session | None, down: SessionsDown | None):
        self.session = session
        self.down = down
        self.set_cookie: str | None = None
        self._sessions = sessions
        self._cookie = cookie

    def require(self) -> Session:
        """The session, for what needs a login.

        Raises:
            LoginNeeded: there is none.
            SessionsDown: nobody can say.
        """
        if self.session is not None:
            return self.session
        raise self.down or LoginNeeded()

    async def log_in(self, user_id: int) -> Session:
        """A new session under a new id; the one that the request came with ends. Raises SessionsDown."""
        if self.session is not None:
            await self._sessions.end(self.session)
        self.session, token = await self._sessions.start(user_id)
        self.set_cookie = self._cookie.setting(token)
        return self.session

    async def rotate(self) -> None:
        """A new id for the same session: its rights have grown. Raises as `require` and `Sessions.rotate` do."""
        self.set_cookie = self._cookie.setting(await self._sessions.rotate(self.require()))

    async def log_out(self) -> None:
        """Ends the session, if there is one, and takes the cookie away. Raises SessionsDown."""
        if self.down is not None:
            raise self.down
        if self.session is not None:
            await self._sessions.end(self.session)
        self.session = None
        self.set_cookie = self._cookie.clearing()


class SessionMiddleware:
    """Loads the session before the application runs, sends the changed cookie with its response.

    A cookie that opens nothing is left alone: a slow answer must not take away the one that a faster answer has set.

    Args:
        app: the application inside.
        sessions: gives the sessions; called once the application serves.
        public_url: scheme, host and port under which people see the site.
    """

    def __init__(self, app: Application, sessions: Callable[[], Sessions], public_url: str) -> None:
        self._app = app
        self._sessions = sessions
        self._public_url = public_url
        self._cookie: SessionCookie | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visitor = await self._visitor(scope)
        scope.setdefault("state", {})[VISITOR] = visitor
        started = False

        async def send_with_cookie(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if visitor.set_cookie is not None:
                    cookie = (b"set-cookie", visitor.set_cookie.encode())
                    message["headers"] = [*message.get("headers", ()), cookie]
            await send(message)

        try:
            await self._app(scope, receive, send_with_cookie)
        except Unavailable as unavailable:
            if started:
                raise
            await _send_unavailable(unavailable, send)

    async def _visitor(self, scope: Scope) -> Visitor:
        sessions = self._sessions()
        cookie = self._cookie = self._cookie or SessionCookie(self._public_url, sessions.absolute)
        try:
            return Visitor(sessions, cookie, await sessions.load(cookie.token(scope["headers"])), None)
        except SessionsDown as down:
            return Visitor(sessions, cookie, None, down)


async def _send_unavailable(unavailable: Unavailable, send: Send) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", str(unavailable.retry_after).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"This does not work right now; try again in a moment.\n"})

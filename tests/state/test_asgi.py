from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from goldfleet.state.asgi import Application, SessionCookie, SessionMiddleware, Visitor
from goldfleet.state.exceptions import DatabaseDown, LoginNeeded, SessionsDown
from goldfleet.state.state import State
from tests.state.conftest import NewUser
from tests.stores import Stores

HTTP, HTTPS = "http://localhost:8080", "https://example.org"


@dataclass
class Answer:
    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: bytes) -> list[str]:
        return [value.decode() for key, value in self.headers if key == name]


async def ask(app: Application, cookie: str | None = None) -> Answer:
    """Sends one GET through an ASGI application."""
    answer = Answer()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    headers = [(b"cookie", cookie.encode())] if cookie else []
    await app({"type": "http", "method": "GET", "path": "/", "headers": headers}, receive, send)
    return answer


def served(state: State, handler: Callable[[Visitor], Awaitable[str]], url: str = HTTP) -> Application:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        text = await handler(scope["state"]["visitor"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})

    return SessionMiddleware(app, lambda: state.sessions, url)


async def who(visitor: Visitor) -> str:
    return str(visitor.session.user_id) if visitor.session else "nobody"


async def needs_login(visitor: Visitor) -> str:
    return str(visitor.require().user_id)


def cookie_of(answer: Answer) -> str:
    (header,) = answer.header(b"set-cookie")
    return header.partition(";")[0]


async def log_in(state: State, user: int, cookie: str | None = None, url: str = HTTP) -> Answer:
    async def handler(visitor: Visitor) -> str:
        return str((await visitor.log_in(user)).user_id)

    return await ask(served(state, handler, url), cookie)


async def test_a_login_sets_a_cookie_that_opens_the_session_on_another_clone(
    state: State, other: State, new_user: NewUser
) -> None:
    user = new_user()
    answer = await log_in(state, user)
    assert (await ask(served(other, who), f"a=b; {cookie_of(answer)}; c=d")).body.decode() == str(user)


@pytest.mark.parametrize(
    ("url", "name", "flags"),
    [
        (HTTP, "session=", {"Path=/", "HttpOnly", "SameSite=Lax"}),
        (HTTPS, "__Host-session=", {"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}),
    ],
)
async def test_the_flags_follow_the_public_url(
    state: State, new_user: NewUser, url: str, name: str, flags: set[str]
) -> None:
    (header,) = (await log_in(state, new_user(), url=url)).header(b"set-cookie")
    value, *attributes = header.split("; ")
    assert value.startswith(name)
    assert {each for each in attributes if not each.startswith("Max-Age=")} == flags
    assert f"Max-Age={state.sessions.absolute}" in attributes


async def test_a_login_ends_the_session_that_the_request_came_with(state: State, new_user: NewUser) -> None:
    first = cookie_of(await log_in(state, new_user()))
    user = new_user()
    second = cookie_of(await log_in(state, user, first))
    assert (await ask(served(state, who), first)).body == b"nobody"
    assert (await ask(served(state, who), second)).body.decode() == str(user)


async def test_a_logout_ends_the_session_and_clears_the_cookie(state: State, new_user: NewUser) -> None:
    cookie = cookie_of(await log_in(state, new_user()))

    async def handler(visitor: Visitor) -> str:
        await visitor.log_out()
        return await who(visitor)

    answer = await ask(served(state, handler), cookie)
    assert answer.body == b"nobody"
    assert "Max-Age=0" in answer.header(b"set-cookie")[0]
    assert (await ask(served(state, who), cookie)).body == b"nobody"


async def test_rotation_sends_the_new_cookie(state: State, new_user: NewUser) -> None:
    user = new_user()
    cookie = cookie_of(await log_in(state, user))

    async def handler(visitor: Visitor) -> str:
        await visitor.rotate()
        return await who(visitor)

    new = cookie_of(await ask(served(state, handler), cookie))
    assert new != cookie
    assert (await ask(served(state, who), new)).body.decode() == str(user)


@pytest.mark.parametrize(
    "cookie", [None, "session=", "session=forged", f"session={'a' * 76}", "other=1", "session", ";;="]
)
async def test_who_brings_no_good_cookie_is_a_stranger(state: State, cookie: str | None) -> None:
    answer = await ask(served(state, who), cookie)
    assert answer.body == b"nobody"
    assert answer.header(b"set-cookie") == []
    with pytest.raises(LoginNeeded):
        await ask(served(state, needs_login), cookie)


async def test_with_the_store_down_only_what_needs_a_login_is_refused(
    state: State, new_user: NewUser, prepared: Stores
) -> None:
    cookie = cookie_of(await log_in(state, new_user()))
    prepared.sessions.kill()
    assert (await ask(served(state, who), cookie)).body == b"nobody"
    assert (await ask(served(state, who))).body == b"nobody"
    refused = await ask(served(state, needs_login), cookie)
    assert (refused.status, refused.header(b"retry-after")) == (503, [str(SessionsDown.retry_after)])


async def test_what_is_down_is_answered_with_503_unless_the_answer_has_begun(state: State) -> None:
    async def handler(visitor: Visitor) -> str:
        raise DatabaseDown("database", "is down")

    assert (await ask(served(state, handler))).status == 503

    async def begun(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise DatabaseDown("database", "is down")

    with pytest.raises(DatabaseDown):
        await ask(SessionMiddleware(begun, lambda: state.sessions, HTTP))


async def test_other_scopes_pass_untouched(state: State) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(dict(scope))

    async def nothing(*_: Any) -> Any:
        return None

    await SessionMiddleware(app, lambda: state.sessions, HTTP)({"type": "lifespan"}, nothing, nothing)
    assert seen == [{"type": "lifespan"}]


def test_the_cookie_of_the_other_scheme_is_not_taken() -> None:
    headers = [(b"cookie", b"session=plain; __Host-session=safe")]
    assert SessionCookie(HTTPS, 60).token(headers) == "safe"
    assert SessionCookie(HTTP, 60).token(headers) == "plain"

"""What nobody should send: a 4xx that says why, never a 5xx and never a trace."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest

from app.limits import BODY
from tests.app.conftest import PASSWORD, Browser, Program, csrf_token

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def assert_clear(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text
    if answer.url.path.startswith("/api/"):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
        assert len(answer.json()["detail"]) > 5
    else:
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["x-request-id"] in answer.text or 'role="alert"' in answer.text


NO_PATHS = [
    "/nothing", "/users/", "/users/nobody-here", "/users/a%00b", "/users/%FF", "/static/x", "/static/../site.py",
    "/api/nothing", "/api/v1/users/nobody-here", "/api/v1/users/a%00b", "/api/v1/users/%F0%9F%98%80%F0%9F%98%80",
]  # fmt: skip


@pytest.mark.parametrize("path", NO_PATHS)
async def test_an_unknown_path_is_404(browser: Browser, path: str) -> None:
    assert_clear(await browser.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", {"GET", "HEAD"}),
        ("PUT", "/login", {"GET", "HEAD", "POST"}),
        ("GET", "/logout", {"POST"}),
        ("GET", "/posts", {"POST"}),
        ("DELETE", "/users/somebody", {"GET", "HEAD"}),
        ("PATCH", "/api/v1/session", {"GET", "POST", "DELETE"}),
        ("GET", "/api/v1/posts", {"POST"}),
        ("BREW", "/", {"GET", "HEAD"}),
    ],
)
async def test_an_unknown_method_is_405(browser: Browser, method: str, path: str, allowed: set[str]) -> None:
    answer = await browser.http.request(method, path)
    assert_clear(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize(("path", "content_type"), [("/login", FORM), ("/api/v1/session", JSON)])
async def test_too_large_a_body_is_413(browser: Browser, path: str, content_type: str) -> None:
    async def in_parts() -> AsyncIterator[bytes]:
        for _ in range(BODY // 1024 + 1):
            yield b" " * 1024

    headers = {"content-type": content_type}
    assert_clear(await browser.http.post(path, content=b" " * (BODY + 1), headers=headers), 413)
    assert_clear(await browser.http.post(path, content=in_parts(), headers=headers), 413)


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "multipart/form-data; boundary=x", "application/json; x", ""]
)
async def test_another_content_type_of_a_form_is_415(browser: Browser, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await browser.http.post("/login", content=b"name=a", headers=headers)
    assert_clear(answer, 415)
    assert answer.headers["accept"] == FORM


@pytest.mark.parametrize("content_type", [None, "text/plain", FORM, "application/jsonx", "", "\xe9"])
async def test_another_content_type_of_the_api_is_415(browser: Browser, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type.encode("latin-1")}
    for content in (b'{"name": "anna", "password": "correct horse"}', b""):
        answer = await browser.http.post("/api/v1/session", content=content, headers=headers)  # type: ignore[arg-type]
        assert_clear(answer, 415)


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 60_000, b"1" * 5000, b'{"name": "a\nb"}', b"nul"]
)
async def test_what_is_no_json_is_400_or_422(browser: Browser, body: bytes) -> None:
    answer = await browser.http.post("/api/v1/session", content=body, headers={"content-type": JSON})
    assert_clear(answer, 422 if body == b"" else 400)


BAD_ACCOUNTS: list[tuple[Any, str | None]] = [
    ([], None),
    (None, None),
    ({}, "name"),
    ({"name": "anna-maria"}, "password"),
    ({"name": 1, "password": PASSWORD}, "name"),
    ({"name": "anna-maria", "password": None}, "password"),
    ({"name": "an", "password": PASSWORD}, "name"),
    ({"name": "a\x00nna", "password": PASSWORD}, "name"),
    ({"name": "a\ud800nna", "password": PASSWORD}, "name"),
    ({"name": "anna-maria", "password": "1234567"}, "password"),
    ({"name": "anna-maria", "password": "x" * 129}, "password"),
    ({"name": "anna-maria", "password": "12345678\x00"}, "password"),
    ({"name": "anna-maria", "password": PASSWORD, "admin\ud800": True}, None),
    ({"name": "anna-maria", "password": PASSWORD, "admin": True}, "admin"),
]


@pytest.mark.parametrize(("body", "field"), BAD_ACCOUNTS)
async def test_json_that_breaks_a_rule_is_422_and_names_the_field(
    browser: Browser, body: Any, field: str | None
) -> None:
    content = json.dumps(body).encode()
    answer = await browser.http.post("/api/v1/users", content=content, headers={"content-type": JSON})
    assert_clear(answer, 422)
    assert answer.json().get("field", "body") == (field or "body")


@pytest.mark.parametrize("text", ["", " ", "x" * 501, "null\x00", "bell\x07", "half\ud83d"])
async def test_a_bad_post_is_422(program: Program, text: str) -> None:
    await program.sign_up()
    content = json.dumps({"text": text}).encode()
    assert_clear(await program.http.post("/posts", content=content, headers={"content-type": JSON}), 422)
    assert (await program.http.get("/feed")).json()["posts"] == []


@pytest.mark.parametrize("before", ["0", "-1", "x", "", "9223372036854775808", "1" * 30, "1.5", "%00", "\u0661"])
async def test_a_bad_query_is_422(browser: Browser, program: Program, before: str) -> None:
    await browser.sign_up()
    await program.sign_up()
    assert_clear(await browser.get(f"/?before={before}"), 422)
    assert_clear(await program.http.get(f"/feed?before={before}"), 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"name=anna", 422),
        (b"name=anna&name=anna&password=x&next=/&csrf_token=", 422),
        (b"name=%00&password=%00&next=/&csrf_token=", 401),
        (b"name=anna&password=wrong&next=/&csrf_token=", 401),
        (b"name=%FF&password=x&next=/&csrf_token=", 400),
        (b"name=\xff&password=x&next=/&csrf_token=", 400),
        (b"&".join([b"a=1"] * 100), 400),
        (b"", 422),
    ],
)
async def test_a_bad_form_is_4xx(browser: Browser, body: bytes, status: int) -> None:
    assert_clear(await browser.http.post("/login", content=body, headers={"content-type": FORM}), status)


COOKIES = [
    None,
    "session=",
    "session=x",
    "session=" + "A" * 76,
    "session=" + "A" * 5000,
    "session=\xe9\xff",
    "=;;=",
    "__Host-session=x",
]


@pytest.mark.parametrize("cookie", COOKIES)
async def test_a_missing_or_forged_cookie_is_401(browser: Browser, cookie: str | None) -> None:
    headers: Mapping[str, bytes] = {} if cookie is None else {"cookie": cookie.encode("latin-1")}
    form = {"csrf_token": ""}
    assert_clear(await browser.http.post("/posts", data={**form, "text": "x"}, headers=headers), 401)  # type: ignore[arg-type]
    assert_clear(await browser.http.post("/logout", data=form, headers=headers), 401)  # type: ignore[arg-type]
    assert_clear(await browser.http.get("/api/v1/feed", headers=headers), 401)  # type: ignore[arg-type]
    assert (await browser.http.get("/", headers=headers)).status_code == 200  # type: ignore[arg-type]


async def test_a_cookie_that_ends_in_another_letter_is_forged(browser: Browser) -> None:
    await browser.sign_up()
    token = browser.http.cookies["session"]
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    browser.http.cookies.clear()
    assert (await browser.get("/api/v1/session", Cookie=f"session={token}")).status_code == 200
    assert_clear(await browser.get("/api/v1/session", Cookie=f"session={forged}"), 401)


async def test_a_form_without_the_sessions_token_is_403(browser: Browser, other: Browser) -> None:
    await browser.sign_up()
    await other.sign_up()
    stolen = csrf_token(await other.get("/"))
    for token in ("", "x", stolen, "é"):
        assert_clear(await browser.http.post("/posts", data={"csrf_token": token, "text": "forged"}), 403)
    assert "forged" not in (await browser.get("/")).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://site.test"},
    ],
)
async def test_what_another_site_started_is_403(browser: Browser, program: Program, headers: dict[str, str]) -> None:
    await program.sign_up()
    form = {"csrf_token": "", "name": "anna", "password": PASSWORD, "next": "/"}
    assert_clear(await browser.http.post("/login", data=form, headers=headers), 403)
    assert_clear(await program.http.post("/posts", json={"text": "x"}, headers=headers), 403)


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://site.test"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
async def test_what_our_own_pages_started_is_not(program: Program, headers: dict[str, str]) -> None:
    await program.sign_up()
    assert (await program.http.post("/posts", json={"text": "x"}, headers=headers)).status_code == 201

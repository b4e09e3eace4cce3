"""Bad HTTP through the balancer: a 4xx that says what is wrong, never a 5xx, never a traceback."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fleet.cloud import Cloud

ACCOUNT = {"name": "mallory", "password": "correct horse battery"}
JSON = {"Content-Type": "application/json"}

BAD: dict[str, tuple[str, str, dict[str, Any]]] = {
    "too large a body": ("POST", "/api/v1/users", {"json": ACCOUNT | {"password": "x" * 2_000_000}}),
    "bad JSON": ("POST", "/api/v1/users", {"content": "{", "headers": JSON}),
    "not an object": ("POST", "/api/v1/users", {"content": "[]", "headers": JSON}),
    "wrong content type": ("POST", "/api/v1/users", {"content": "name=x", "headers": {"Content-Type": "text/csv"}}),
    "unknown field": ("POST", "/api/v1/users", {"json": ACCOUNT | {"admin": True}}),
    "missing cookie": ("GET", "/api/v1/feed", {}),
    "forged cookie": ("GET", "/api/v1/feed", {"headers": {"Cookie": "session=forged; __Host-session=forged"}}),
    "unknown path": ("GET", "/nope", {}),
    "unknown path of the API": ("GET", "/api/v1/nope", {}),
    "unknown method": ("DELETE", "/signup", {}),
    "unknown person": ("GET", "/users/nobody-of-that-name", {}),
    "form without a token": ("POST", "/posts", {"data": {"text": "hello"}}),
    "path that climbs": ("GET", "/static/../../etc/passwd", {}),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_refused_with_a_clear_message(cloud: Cloud, case: str) -> None:
    method, path, body = BAD[case]
    answer = httpx.request(method, cloud.url + path, timeout=10, **body)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.text.strip()
    assert "Traceback" not in answer.text
    if path.startswith("/api"):
        assert answer.json()["detail"] or answer.json()["title"]

from __future__ import annotations

import logging
from dataclasses import replace
from unittest.mock import create_autospec

import httpx
import pytest

from app.envelope import security_headers
from app.passwords import Passwords
from app.site import Site
from goldfleet.contract.environment import Environment
from tests.app.conftest import PASSWORD, Browser, cheap_passwords

PATHS = ["/", "/nothing", "/static/style.css", "/healthz", "/readyz", "/api/openapi.json", "/api/v1/feed"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_says_who_gave_it_and_how_to_treat_it(
    browser: Browser, environment: Environment, path: str
) -> None:
    headers = (await browser.get(path)).headers
    assert headers["x-goldfleet-instance"] == environment.instance_id
    assert headers["x-goldfleet-zone"] == environment.zone
    assert headers["x-goldfleet-release"] == environment.release
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert "server" not in headers


async def test_every_request_has_an_id_of_its_own(browser: Browser) -> None:
    assert len({(await browser.get("/")).headers["x-request-id"] for _ in range(10)}) == 10


def test_only_https_is_kept_for_later_visits() -> None:
    assert "Strict-Transport-Security" in security_headers("https://site.test")
    assert "Strict-Transport-Security" not in security_headers("http://site.test")


async def test_over_https_the_cookie_is_for_https_only(environment: Environment) -> None:
    site = Site(replace(environment, public_url="https://site.test"), cheap_passwords())
    async with site.running():
        browser = Browser(site)
        browser.http.base_url = httpx.URL("https://site.test")
        await browser.sign_up()
        cookie = (await browser.submit("/logout")).headers["set-cookie"]
        assert "; Secure" in cookie
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        await browser.http.aclose()


async def test_what_nobody_foresaw_is_a_500_without_a_trace(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    passwords = create_autospec(Passwords, instance=True)
    passwords.matches.side_effect = RuntimeError("a secret detail")
    site = Site(environment, passwords)
    account = {"name": "somebody", "password": PASSWORD}
    async with site.running():
        browser = Browser(site)
        with caplog.at_level(logging.ERROR):
            page = await browser.submit("/login", **account, next="/")
            answer = await browser.http.post("/api/v1/session", json=account)
        await browser.http.aclose()
    for each in (page, answer):
        assert each.status_code == 500
        assert "secret detail" not in each.text
        assert each.headers["x-request-id"] in each.text
        assert each.headers["x-goldfleet-instance"] == environment.instance_id
    assert answer.headers["content-type"] == "application/problem+json"
    assert [record.exc_info is not None for record in caplog.records] == [True, True]

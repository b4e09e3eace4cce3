from __future__ import annotations

import pytest

from tests.app.conftest import PASSWORD, Browser, new_name


async def test_a_stranger_is_welcomed(browser: Browser) -> None:
    page = await browser.get("/")
    assert page.status_code == 200
    assert "/signup" in page.text


async def test_signing_up_shows_ones_own_page_logged_in(browser: Browser) -> None:
    name = await browser.sign_up()
    page = await browser.get(f"/users/{name}")
    assert page.status_code == 200
    assert "Log out" in page.text
    assert page.headers["x-goldfleet-session"] == "sessions store"
    assert page.headers["cache-control"] == "no-store"


async def test_logging_out_and_in_again(browser: Browser) -> None:
    name = await browser.sign_up()
    assert (await browser.submit("/logout")).status_code == 303
    assert "/signup" in (await browser.get("/")).text
    answer = await browser.submit("/login", name=name.upper(), password=PASSWORD, next="/users/somebody?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/users/somebody?x=1")
    assert name in (await browser.get("/")).text


async def test_a_post_is_seen_at_once(browser: Browser) -> None:
    name = await browser.sign_up()
    for number in range(5):
        text = f"post number {number} <b>&"
        assert (await browser.submit("/posts", text=text)).status_code == 303
        escaped = f"post number {number} &lt;b&gt;&amp;"
        assert escaped in (await browser.get("/")).text
        profile = await browser.get(f"/users/{name}")
        assert escaped in profile.text
        assert f"Posts <strong>{number + 1}</strong>" in profile.text


async def test_following_brings_posts_into_the_feed(browser: Browser, other: Browser) -> None:
    author = await other.sign_up()
    await other.submit("/posts", text="hello from afar")
    reader = await browser.sign_up()
    assert "hello from afar" not in (await browser.get("/")).text
    assert (await browser.submit(f"/users/{author}/follow")).status_code == 303
    assert "hello from afar" in (await browser.get("/")).text
    seen = (await browser.get(f"/users/{author}")).text
    assert "Followers <strong>1</strong>" in seen
    assert "Unfollow" in seen
    assert "Following <strong>1</strong>" in (await browser.get(f"/users/{reader}")).text
    await browser.submit(f"/users/{author}/unfollow")
    assert "hello from afar" not in (await browser.get("/")).text
    assert "Followers <strong>0</strong>" in (await browser.get(f"/users/{author}")).text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_logging_in_never_leads_to_another_site(browser: Browser, target: str) -> None:
    name = await browser.sign_up()
    answer = await browser.submit("/login", name=name, password=PASSWORD, next=target)
    assert answer.headers["location"] == "/"


async def test_a_wrong_field_is_named_beside_it_and_nothing_is_lost(browser: Browser) -> None:
    name = new_name()
    page = await browser.submit("/signup", name=name, password="short")
    assert page.status_code == 422
    assert 'id="password-problem"' in page.text
    assert f'value="{name}"' in page.text
    await browser.sign_up(name)
    page = await browser.submit("/posts", text="x" * 501)
    assert page.status_code == 422
    assert "x" * 501 in page.text


async def test_a_taken_name_is_refused_in_any_spelling(browser: Browser, other: Browser) -> None:
    name = await browser.sign_up()
    page = await other.submit("/signup", name=name.upper(), password=PASSWORD)
    assert page.status_code == 409
    assert "This name is taken." in page.text


async def test_an_unknown_name_and_a_wrong_password_look_the_same(browser: Browser) -> None:
    name = await browser.sign_up()
    await browser.submit("/logout")
    unknown = await browser.submit("/login", name=new_name(), password=PASSWORD, next="/")
    wrong = await browser.submit("/login", name=name, password="wrong password", next="/")
    assert unknown.status_code == wrong.status_code == 401
    assert "The name or the password is wrong." in unknown.text
    assert "The name or the password is wrong." in wrong.text

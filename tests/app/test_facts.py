"""What a page says about itself is true."""

from __future__ import annotations

from app.facts import Facts
from tests.app.conftest import Browser
from tests.stores import Stores, eventually


async def test_a_profile_comes_from_the_cache_the_second_time(browser: Browser, other: Browser) -> None:
    name = await browser.sign_up()
    first = await other.get(f"/users/{name}")
    assert first.headers["x-goldfleet-cache"] == "miss"
    second = await other.get(f"/users/{name}")
    assert second.headers["x-goldfleet-cache"] == "hit"
    assert second.headers["x-goldfleet-database"] == "none"
    milliseconds = second.headers["x-goldfleet-cache-milliseconds"]
    assert f"cache hit, {milliseconds} ms" in second.text


async def test_a_write_renews_the_profile_for_everybody(browser: Browser, other: Browser) -> None:
    name = await browser.sign_up()
    for number in range(3):
        assert f"Posts <strong>{number}</strong>" in (await other.get(f"/users/{name}")).text
        await browser.submit("/posts", text="one more")
        assert f"Posts <strong>{number + 1}</strong>" in (await browser.get(f"/users/{name}")).text

        async def seen(count: int = number + 1) -> bool:
            return f"Posts <strong>{count}</strong>" in (await other.get(f"/users/{name}")).text

        await eventually(seen)


async def test_reads_come_from_the_replica_once_it_has_the_write(browser: Browser) -> None:
    await browser.sign_up()

    async def from_the_replica() -> bool:
        page = await browser.get("/")
        assert "Feed" in page.text
        return page.headers["x-goldfleet-database"] == "replica"

    await eventually(from_the_replica)


async def test_the_footer_says_what_the_headers_say(browser: Browser, stores: Stores) -> None:
    await browser.sign_up()
    page = await browser.get("/")
    for name in ("instance", "zone", "session", "database"):
        assert f"<dd>{page.headers['x-goldfleet-' + name]}</dd>" in page.text
    assert f"<dd>{page.headers['x-goldfleet-release'][:12]}</dd>" in page.text
    assert str(stores.replica.endpoint) not in page.text


def test_facts_before_anything_happened() -> None:
    facts = Facts("i-1", "zone", "r" * 64)
    assert (facts.session, facts.cache, facts.database, facts.profile) == ("none", "none", "none", "not asked for")

"""A store that does not answer: what can still be done is done, the rest says 503 and when to try again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from app.site import Site
from tests.app.conftest import PASSWORD, Browser, Program, new_name
from tests.stores import Stores, eventually


@pytest.fixture
def mended(stores: Stores) -> Iterator[Stores]:
    """The stores; what the test has stopped is started again."""
    yield stores
    stores.start()


@pytest.fixture(autouse=True)
async def all_is_well_again(site: Site, mended: Stores) -> AsyncIterator[None]:
    """The next test begins with everything in rotation."""
    yield
    mended.start()
    program = Program(site)

    async def ready() -> bool:
        return (await program.http.get("http://site.test/readyz")).status_code == 200

    await eventually(ready, 30)
    await program.http.aclose()


def assert_try_again(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert "Traceback" not in answer.text


async def test_without_sessions_public_pages_still_work(browser: Browser, other: Browser, mended: Stores) -> None:
    name = await browser.sign_up()
    mended.sessions.kill()
    assert (await other.get("/")).status_code == 200
    assert name in (await other.get(f"/users/{name}")).text
    profile = await browser.get(f"/users/{name}")
    assert (profile.status_code, profile.headers["x-goldfleet-session"]) == (200, "unavailable")
    assert_try_again(await browser.get("/"))
    assert_try_again(await browser.http.post("/posts", data={"csrf_token": "", "text": "x"}))
    assert_try_again(await browser.get("/api/v1/feed"))
    assert_try_again(await other.submit("/login", name=name, password=PASSWORD, next="/"))
    assert (await other.get("/readyz")).status_code == 503
    assert (await other.get("/healthz")).status_code == 200


async def test_without_cache_everything_works(browser: Browser, mended: Stores) -> None:
    mended.cache.kill()
    name = await browser.sign_up()
    await browser.submit("/posts", text="without a cache")
    for _ in range(2):
        page = await browser.get(f"/users/{name}")
        assert "without a cache" in page.text
        assert page.headers["x-goldfleet-cache"] == "miss"


async def test_without_replica_the_main_answers(browser: Browser, mended: Stores) -> None:
    name = await browser.sign_up()
    mended.replica.kill()
    await browser.submit("/posts", text="only the main")
    page = await browser.get("/")
    assert "only the main" in page.text
    assert page.headers["x-goldfleet-database"] == "main"
    assert (await browser.get(f"/users/{name}")).status_code == 200


async def test_without_main_reads_work_and_writes_say_503(browser: Browser, other: Browser, mended: Stores) -> None:
    name = await browser.sign_up()
    await browser.submit("/posts", text="written before")

    async def replicated() -> bool:
        return (await browser.get("/")).headers["x-goldfleet-database"] == "replica"

    await eventually(replicated)
    mended.main.kill()
    assert "written before" in (await browser.get("/")).text
    assert "written before" in (await other.get(f"/users/{name}")).text
    assert (await other.submit("/login", name=name, password=PASSWORD, next="/")).status_code == 303
    assert_try_again(await browser.submit("/posts", text="written while it is down"))
    assert_try_again(await other.submit("/signup", name=new_name(), password=PASSWORD))
    mended.start()

    async def writes() -> bool:
        return (await browser.submit("/posts", text="written after")).status_code == 303

    await eventually(writes)
    page = (await browser.get("/")).text
    assert "written before" in page
    assert "written after" in page
    assert "written while it is down" not in page


async def test_health_never_asks_a_store(browser: Browser, mended: Stores) -> None:
    for server in mended.servers:
        server.kill()
    assert (await browser.get("/healthz")).status_code == 200
    answer = await browser.get("/readyz")
    assert answer.status_code == 503
    assert "ok" not in {said for store, said in answer.json().items() if store in ("sessions", "cache")}

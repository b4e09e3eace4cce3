"""Every write of the app says what it touches: after each, all that is cached is what the main has."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise

import httpx
import pytest

import app
from app import accounts, outbox, profile
from app.problems import Problem
from app.profile import PROFILES
from app.site import Site
from app.visit import Visit
from goldfleet.state.cached import CachedObject, CachedQuery
from goldfleet.state.database import Transaction
from tests.app.conftest import PASSWORD, Program, new_name


class Watched:
    """What is cached about some people, beside what the main says."""

    def __init__(self, visit: Visit, *names: str) -> None:
        self._visit = visit
        self.names = names

    async def kept(self) -> list[object]:
        """As a stranger gets it."""
        return [await self._kept(name) for name in self.names]

    async def true(self) -> list[object]:
        """Assembled anew, from the main."""
        return [await self._true(name) for name in self.names]

    async def _kept(self, name: str) -> object:
        try:
            user = await accounts.find(self._visit, name)
        except Problem:
            return None
        return (await PROFILES.get(self._visit.state, user)).value

    async def _true(self, name: str) -> object:
        database = self._visit.database

        @asynccontextmanager
        async def read(of: int) -> AsyncIterator[Transaction]:
            async with database.of(of).write() as transaction:
                yield transaction

        async with database.directory.write() as transaction:
            user = await transaction.fetchval("SELECT user_id FROM names WHERE key = $1", name)
        return None if user is None else await profile._assemble(read, user)


def test_all_that_the_app_caches_is_watched_here() -> None:
    names = [each.name for each in pkgutil.iter_modules(app.__path__) if each.name != "__main__"]
    modules = [importlib.import_module(f"app.{name}") for name in names]
    cached = [each for module in modules for each in vars(module).values()]
    assert {id(each) for each in cached if isinstance(each, CachedObject | CachedQuery)} == {id(PROFILES)}


async def test_after_every_kind_of_write_what_is_cached_is_what_the_main_has(
    program: Program, site: Site, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody gets what was there before a write, not for a second either.
    monkeypatch.setattr("goldfleet.state.entry.RENEWED_WITHIN", -1.0)
    one, other, third = program, Program(site), Program(site)
    ada, bob = new_name(), new_name()
    account = {"name": bob, "password": PASSWORD}
    watched = Watched(visit, ada, bob)

    async def sign_up_ada() -> httpx.Response:
        await one.sign_up(ada)
        return await one.http.get("/session")

    writes: list[tuple[int, Callable[[], Awaitable[httpx.Response]]]] = [
        (200, sign_up_ada),
        (201, lambda: other.http.post("/users", json=account)),
        (409, lambda: third.http.post("/users", json=account)),
        (201, lambda: one.http.post("/posts", json={"text": "first"})),
        (201, lambda: one.http.post("/posts", json={"text": "second"})),
        (204, lambda: one.http.put(f"/users/{bob}/follow")),
        (204, lambda: one.http.put(f"/users/{bob}/follow")),
        (204, lambda: one.http.delete(f"/users/{bob}/follow")),
        (204, lambda: one.http.delete("/session")),
        (200, lambda: third.http.post("/session", json=account)),
    ]
    seen = [await watched.kept()]
    for status, write in writes:
        assert (await write()).status_code == status
        assert await watched.kept() == await watched.true()
        assert await watched.kept() == await watched.true()
        seen.append(await watched.kept())
    changes = sum(before != after for before, after in pairwise(seen))
    assert (seen[0], changes) == ([None, None], 6)
    for each in (other, third):
        await each.http.aclose()


async def test_what_the_outbox_delivers_late_is_seen_too(
    program: Program, site: Site, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goldfleet.state.entry.RENEWED_WITHIN", -1.0)
    other = Program(site)
    ada, bob = await program.sign_up(), await other.sign_up()
    watched = Watched(visit, ada, bob)
    assert await watched.kept() == await watched.true()
    follower, followee = [await accounts.find(visit, name) for name in (ada, bob)]
    async with visit.write(visit.database.of(follower)) as transaction:
        entry = await outbox.put(transaction, outbox.Following(follower, followee, True))
    await outbox.deliver(visit.state, entry)
    assert await watched.kept() == await watched.true()
    await other.http.aclose()

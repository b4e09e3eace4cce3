from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldfleet.state import cache as rules
from goldfleet.state.cache import Cache
from goldfleet.state.exceptions import ValueTooBig
from goldfleet.state.store import Store
from tests.state.conftest import DATABASE
from tests.stores import Stores, eventually

PATIENT = 0.5
"""Seconds: on a busy machine a test must not take the cache for down."""


@pytest.fixture
async def cache(prepared: Stores) -> AsyncIterator[Cache]:
    store = Store(prepared.environment(DATABASE).cache, "cache", PATIENT)
    yield Cache(store)
    await store.close()
    prepared.start()


@pytest.fixture
async def elsewhere(prepared: Stores) -> AsyncIterator[Cache]:
    """Another clone's."""
    store = Store(prepared.environment(DATABASE).cache, "cache", PATIENT)
    yield Cache(store)
    await store.close()


class Source:
    """Where a value really lives; counts how often it is read."""

    def __init__(self, value: bytes = b"value") -> None:
        self.key = uuid4().hex
        self.value = value
        self.reads = 0

    async def __call__(self) -> bytes:
        self.reads += 1
        return self.value


async def test_the_second_time_the_cache_answers(cache: Cache, elsewhere: Cache) -> None:
    source = Source()
    first = await cache.get(source.key, source, 60)
    second = await elsewhere.get(source.key, source, 60)
    assert (first.value, first.hit, second.value, second.hit, source.reads) == (b"value", False, b"value", True, 1)
    assert second.seconds >= 0


async def test_after_an_invalidation_the_source_answers(cache: Cache, elsewhere: Cache) -> None:
    source = Source(b"old")
    await cache.get(source.key, source, 60)
    source.value = b"new"
    assert await elsewhere.delete(source.key)
    assert (await cache.get(source.key, source, 60)).value == b"new"


async def test_a_fill_that_began_before_the_write_does_not_come_in(cache: Cache, elsewhere: Cache) -> None:
    source = Source(b"old")
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> bytes:
        value = await source()
        reading.set()
        await go_on.wait()
        return value

    asked = asyncio.create_task(cache.get(source.key, slow, 60))
    await reading.wait()
    source.value = b"new"
    await elsewhere.delete(source.key)
    go_on.set()
    await asked
    assert (await elsewhere.get(source.key, source, 60)).value == b"new"


async def test_a_fill_from_a_replica_that_is_behind_does_not_stay(cache: Cache, elsewhere: Cache) -> None:
    source = Source(b"new")
    await cache.delete(source.key)
    behind = Source(b"old")
    assert (await elsewhere.get(source.key, behind, 60)).value == b"old"
    assert (await elsewhere.get(source.key, source, 60)).value == b"new"


async def test_once_the_invalidation_is_over_values_are_kept_again(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "INVALIDATED", 0.05)
    source = Source()
    await cache.delete(source.key)

    async def hit() -> bool:
        return (await cache.get(source.key, source, 60)).hit

    await eventually(hit)


async def test_a_fill_that_took_too_long_is_not_kept(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SLOWEST_FILL", -1.0)
    source = Source()
    await cache.get(source.key, source, 60)
    assert not (await cache.get(source.key, source, 60)).hit


async def test_an_error_of_the_fill_passes_through_and_is_not_kept(cache: Cache) -> None:
    source = Source()

    async def broken() -> bytes:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        await cache.get(source.key, broken, 60)
    assert not (await cache.get(source.key, source, 60)).hit


async def test_every_value_expires_and_not_all_at_once(cache: Cache, prepared: Stores) -> None:
    lives = set()
    for _ in range(20):
        source = Source()
        await cache.get(source.key, source, 1000)
        lives.add(int(prepared.cache.command("PTTL", cache._name(source.key))[1:]))
    assert all(890_000 < life <= 1_000_000 for life in lives)
    assert max(lives) - min(lives) > 10_000


async def test_a_value_that_is_too_big_is_refused(cache: Cache) -> None:
    source = Source(b"x" * (rules.VALUE_LIMIT + 1))
    with pytest.raises(ValueTooBig, match="at most 1048576"):
        await cache.get(source.key, source, 60)
    source.value = b"x" * rules.VALUE_LIMIT
    await cache.get(source.key, source, 60)
    assert (await cache.get(source.key, source, 60)).hit


async def _down(cache: Cache, source: Source) -> None:
    for _ in range(10):
        assert (await asyncio.wait_for(cache.get(source.key, source, 60), 5)).value == b"value"
    assert not await cache.delete(source.key)


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_a_cache_that_is_down_or_frozen_costs_no_answer(cache: Cache, prepared: Stores, how: str) -> None:
    source = Source()
    getattr(prepared.cache, how)()
    try:
        await _down(cache, source)
    finally:
        prepared.cache.thaw()
        prepared.cache.start()

    async def hit() -> bool:
        return (await cache.get(source.key, source, 60)).hit

    await eventually(hit)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(st.characters(), max_size=300), value=st.binary(max_size=2000))
async def test_any_key_and_any_value_will_do(cache: Cache, key: str, value: bytes) -> None:
    source = Source(value)
    key = source.key + key
    fill: Callable[[], Awaitable[bytes]] = source
    assert (await cache.get(key, fill, 60)).value == value
    assert (await cache.get(key, fill, 60)).hit
    assert (await cache.get(key, fill, 60)).value == value

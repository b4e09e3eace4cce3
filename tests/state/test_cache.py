from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldfleet.state import cache as rules
from goldfleet.state.cache import ABSENT, Cache, Key, Needs
from goldfleet.state.entry import TTL_LIMIT
from goldfleet.state.exceptions import ValueTooBig
from goldfleet.state.position import Position
from goldfleet.state.versions import Versions
from tests.state.sources import SHORT_LEASE, Source, Writer
from tests.state.sources import cache as cache  # noqa: PLC0414  a fixture
from tests.state.sources import elsewhere as elsewhere  # noqa: PLC0414  a fixture
from tests.state.sources import versions as versions  # noqa: PLC0414  a fixture
from tests.stores import Stores, eventually


async def test_the_second_time_the_cache_answers(cache: Cache, elsewhere: Cache) -> None:
    source = Source()
    first = await cache.get(source.key, source)
    second = await elsewhere.get(source.key, source)
    assert (first.value, first.hit, second.value, second.hit, source.reads) == (b"value", False, b"value", True, 1)
    assert second.seconds >= 0


async def test_a_value_of_no_parts_is_kept_too(cache: Cache) -> None:
    key, source = Key(uuid4().hex), Source()
    assert not (await cache.get(key, source)).hit
    assert (await cache.get(key, source)).value == b"value"
    assert source.reads == 1


async def test_after_a_write_its_writer_gets_the_new_value(cache: Cache, elsewhere: Cache, versions: Versions) -> None:
    source = Source(b"old")
    await cache.get(source.key, source)
    written = await source.write(b"new", versions)
    assert (await elsewhere.get(source.key, source, Writer(written))).value == b"new"
    assert (await cache.get(source.key, source, Writer(written))).hit


async def test_others_get_the_old_value_while_it_is_renewed_and_then_the_new_one(
    cache: Cache, versions: Versions
) -> None:
    source = Source(b"old")
    await cache.get(source.key, source)
    await source.write(b"new", versions)
    first = await cache.get(source.key, source)
    assert (first.value, first.hit) == (b"old", True)

    async def new() -> bool:
        return (await cache.get(source.key, source)).value == b"new"

    await eventually(new)
    assert source.reads == 2


async def test_an_old_value_is_not_served_for_long(
    cache: Cache, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goldfleet.state.entry.RENEWED_WITHIN", 0.0)
    source = Source(b"old")
    await cache.get(source.key, source)
    await source.write(b"new", versions)
    await asyncio.sleep(0.002)  # the version has moved in an earlier millisecond
    assert (await cache.get(source.key, source)).value == b"new"


async def test_a_fill_sees_the_write_that_made_it_necessary(cache: Cache, versions: Versions) -> None:
    source = Source(b"old")
    written = await source.write(b"new", versions)
    await cache.get(source.key, source)
    assert source.needs[0].after(source.log) == written


async def test_of_a_part_that_is_unknown_the_main_is_asked(cache: Cache) -> None:
    source = Source()
    await cache.get(source.key, source)
    assert source.needs[0].after(source.log) == Position(0, 1, 100)
    assert source.log.asked == 1


async def test_a_fill_that_began_before_the_write_does_not_come_in(
    cache: Cache, elsewhere: Cache, versions: Versions
) -> None:
    source = Source(b"old")
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def slow(needs: Needs) -> bytes | None:
        value = await source(needs)
        reading.set()
        await go_on.wait()
        return value

    asked = asyncio.create_task(cache.get(source.key, slow))
    await reading.wait()
    await source.write(b"new", versions)
    go_on.set()
    await asked
    assert (await elsewhere.get(source.key, source)).value == b"new"


async def test_a_writer_that_dies_after_its_commit_leaves_no_old_value(
    cache: Cache, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goldfleet.state.versions.COMMITTING", 0.2)
    source = Source(b"old")
    await cache.get(source.key, source)
    await versions.announcement([source.part.key]).make()
    source.value = b"new"

    async def new() -> bool:
        return (await cache.get(source.key, source)).value == b"new"

    await eventually(new)


async def test_what_was_undone_leaves_the_cache_as_it_was(cache: Cache, versions: Versions) -> None:
    source = Source()
    await cache.get(source.key, source)
    announcement = versions.announcement([source.part.key])
    await announcement.make()
    await announcement.undone()
    assert (await cache.get(source.key, source, Writer(Position(0, 1, 10**6)))).hit


async def test_between_announcement_and_commit_nothing_is_kept(
    cache: Cache, elsewhere: Cache, versions: Versions
) -> None:
    source = Source(b"old")
    await versions.announcement([source.part.key]).make()
    await cache.get(source.key, source)
    assert not (await elsewhere.get(source.key, source)).hit


async def test_a_version_only_grows_whichever_writer_comes_last(cache: Cache, versions: Versions) -> None:
    source = Source(b"new")
    await cache.get(source.key, source)
    early, late = (versions.announcement([source.part.key]) for _ in range(2))
    await early.make()
    await late.make()
    await late.committed(Position(0, 1, 300))
    await early.committed(Position(0, 1, 200))
    await cache.get(source.key, source, Writer(Position(0, 1, 300)))
    assert source.needs[1].after(source.log) == Position(0, 1, 300)
    assert (await cache.get(source.key, source)).hit


async def test_one_of_many_fills_and_the_others_wait_for_it(cache: Cache, elsewhere: Cache) -> None:
    source = Source()

    async def slow(needs: Needs) -> bytes | None:
        await asyncio.sleep(0.05)
        return await source(needs)

    asked = [clone.get(source.key, slow) for clone in (cache, elsewhere) for _ in range(50)]
    assert {told.value for told in await asyncio.gather(*asked)} == {b"value"}
    assert source.reads == 1


async def test_a_holder_that_was_killed_delays_nobody_longer_than_its_lease(cache: Cache, elsewhere: Cache) -> None:
    source = Source()
    filling = asyncio.Event()

    async def never(needs: Needs) -> bytes | None:
        filling.set()
        await asyncio.Event().wait()
        return None

    asked = asyncio.create_task(cache.get(source.key, never))
    await filling.wait()
    for task in cache._tasks:
        task.cancel = lambda *_: False  # type: ignore[method-assign]  # killed: it cannot give the lease back
    async with asyncio.timeout(SHORT_LEASE * 10):
        assert (await elsewhere.get(source.key, source)).value == b"value"
    for task in cache._tasks:
        del task.cancel
    asked.cancel()


async def test_a_reader_who_goes_away_does_not_take_the_value_from_the_others(cache: Cache) -> None:
    source = Source()
    filling, go_on = asyncio.Event(), asyncio.Event()

    async def slow(needs: Needs) -> bytes | None:
        filling.set()
        await go_on.wait()
        return await source(needs)

    first = asyncio.create_task(cache.get(source.key, slow))
    await filling.wait()
    second = asyncio.create_task(cache.get(source.key, slow))
    first.cancel()
    go_on.set()
    assert (await second).value == b"value"
    assert source.reads == 1


async def test_when_its_lifetime_is_over_it_is_served_and_renewed_once(cache: Cache, elsewhere: Cache) -> None:
    source = Source(b"old", ttl=1)
    await cache.get(source.key, source)
    source.value = b"new"

    async def renewed() -> bool:
        told = [(await clone.get(source.key, source)) for clone in (cache, elsewhere)]
        assert all(each.hit for each in told)
        return {each.value for each in told} == {b"new"}

    await eventually(renewed)
    assert source.reads == 2


async def test_what_does_not_exist_is_kept_as_that_for_a_moment(cache: Cache, prepared: Stores) -> None:
    source = Source(None, ttl=1000)
    assert (await cache.get(source.key, source)).value is None
    told = await cache.get(source.key, source)
    assert (told.value, told.hit, source.reads) == (None, True, 1)
    assert 0 < _lives(prepared, cache, source.key) <= ABSENT * 1000


async def test_a_reader_who_distrusts_the_cache_reads_the_source(cache: Cache) -> None:
    source = Source()
    await cache.get(source.key, source)
    told = await cache.get(source.key, source, Writer(Position(0, 1, 5), distrusts_cache=True))
    assert (told.hit, source.reads) == (False, 2)
    assert source.needs[1].after(source.log) == Position(0, 1, 5)


async def test_an_error_of_the_fill_passes_through_and_is_not_kept(cache: Cache, elsewhere: Cache) -> None:
    source = Source()

    async def broken(needs: Needs) -> bytes | None:
        raise KeyError("gone")

    with pytest.raises(KeyError):
        await cache.get(source.key, broken)
    async with asyncio.timeout(SHORT_LEASE):
        assert not (await elsewhere.get(source.key, source)).hit


async def test_every_value_expires_and_not_all_at_once(cache: Cache, prepared: Stores) -> None:
    lives = set()
    for _ in range(20):
        source = Source(ttl=1000)
        await cache.get(source.key, source)
        lives.add(_lives(prepared, cache, source.key))
    assert all(920_000 < life <= 1_030_000 for life in lives)
    assert max(lives) - min(lives) > 10_000
    assert int(prepared.cache.command("PTTL", source.part.key)[1:]) > TTL_LIMIT * 1000


async def test_a_value_that_is_too_big_is_refused(cache: Cache) -> None:
    source = Source(b"x" * (rules.VALUE_LIMIT + 1))
    with pytest.raises(ValueTooBig, match="at most 1048576"):
        await cache.get(source.key, source)
    source.value = b"x" * rules.VALUE_LIMIT
    await cache.get(source.key, source)
    assert (await cache.get(source.key, source)).hit


@pytest.mark.parametrize("ttl", [0, -1, 3601])
def test_a_lifetime_is_bounded(ttl: float) -> None:
    with pytest.raises(ValueError, match="lifetime"):
        Key("x", ttl=ttl)


@pytest.mark.parametrize("how", ["kill", "freeze"])
async def test_a_cache_that_is_down_or_frozen_costs_no_answer(
    cache: Cache, versions: Versions, prepared: Stores, how: str
) -> None:
    source = Source()
    await cache.get(source.key, source)
    getattr(prepared.cache, how)()
    try:
        for _ in range(10):
            assert (await asyncio.wait_for(cache.get(source.key, source), 5)).value == b"value"
        announcement = versions.announcement([source.part.key])
        await announcement.make()
        source.value = b"new"
        assert not await announcement.committed(Position(0, 1, 200))
    finally:
        prepared.cache.thaw()
        prepared.cache.start()

    async def new() -> bool:
        told = await cache.get(source.key, source)
        return told.hit and told.value == b"new"

    await eventually(new)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.characters(), max_size=300), value=st.binary(max_size=2000))
async def test_any_key_and_any_value_will_do(cache: Cache, name: str, value: bytes) -> None:
    source = Source(value)
    key = Key(source.key.name + name, (source.part,))
    answers: Awaitable[rules.Cached] = cache.get(key, source)
    assert (await answers).value == value
    told = await cache.get(key, source)
    assert (told.value, told.hit) == (value, True)


def _lives(stores: Stores, cache: Cache, key: Key) -> int:
    """Milliseconds until the store drops it."""
    return int(stores.cache.command("PTTL", cache._shelf.value_of(key))[1:])

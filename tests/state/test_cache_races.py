"""What may happen between a look and a fill, a commit and its version, a write and its reader."""

from __future__ import annotations

import asyncio
import time

import pytest

from goldfleet.state.cache import Cache, Key, Needs
from goldfleet.state.entry import RENEWED_WITHIN
from goldfleet.state.position import Position
from goldfleet.state.versions import Versions
from tests.state.sources import SHORT_LEASE, Source, Writer
from tests.state.sources import cache as cache  # noqa: PLC0414  a fixture
from tests.state.sources import elsewhere as elsewhere  # noqa: PLC0414  a fixture
from tests.state.sources import versions as versions  # noqa: PLC0414  a fixture
from tests.stores import Stores, eventually


class Slow:
    """Reads a source at once, and comes back when it is let."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.has_read, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, needs: Needs) -> bytes | None:
        value = await self.source(needs)
        self.has_read.set()
        await self.go_on.wait()
        return value


class Clock:
    """The clones' clock; the store has its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        monkeypatch.setattr("time.time_ns", lambda: round(time.time() * 1e9 + self.ahead * 1e9))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def failing(needs: Needs) -> bytes | None:
    raise ConnectionError


@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
async def test_a_version_that_is_evicted_during_a_fill_keeps_the_value_out(
    cache: Cache, elsewhere: Cache, versions: Versions, prepared: Stores, known: bool
) -> None:
    source = Source(b"old")
    if known:
        await source.write(b"old", versions)
    slow = Slow(source)
    asked = asyncio.create_task(cache.get(source.key, slow))
    await slow.has_read.wait()
    written = await source.write(b"new", versions)
    prepared.cache.command("DEL", source.part.key)
    slow.go_on.set()
    await asked
    assert (await elsewhere.get(source.key, source)).value == b"new"
    assert (await elsewhere.get(source.key, source, Writer(written))).value == b"new"


async def test_a_flush_during_a_fill_keeps_the_value_out(
    cache: Cache, elsewhere: Cache, versions: Versions, prepared: Stores
) -> None:
    source = Source(b"old")
    await source.write(b"old", versions)
    slow = Slow(source)
    asked = asyncio.create_task(cache.get(source.key, slow))
    await slow.has_read.wait()
    prepared.cache.command("FLUSHDB")
    await source.write(b"new", versions)
    prepared.cache.command("FLUSHDB")
    slow.go_on.set()
    await asked
    assert (await elsewhere.get(source.key, source)).value == b"new"


async def test_a_fill_that_takes_longer_than_its_lease_is_kept(cache: Cache, elsewhere: Cache) -> None:
    source = Source()
    slow = Slow(source)
    asked = asyncio.create_task(cache.get(source.key, slow))
    await slow.has_read.wait()
    await asyncio.sleep(SHORT_LEASE * 1.5)
    slow.go_on.set()
    await asked
    assert (await elsewhere.get(source.key, source)).hit


async def test_of_two_writes_since_nobody_gets_the_value_from_before_the_first(
    cache: Cache, versions: Versions
) -> None:
    """The first may be long ago, however recent the second is."""
    source = Source(b"old")
    await cache.get(source.key, source)
    await source.write(b"new", versions)
    await source.write(b"newer", versions)
    assert (await cache.get(source.key, source)).value == b"newer"


async def test_a_version_that_comes_back_by_another_value_of_the_part_makes_nothing_new(
    cache: Cache, versions: Versions, prepared: Stores, clock: Clock
) -> None:
    source = Source(b"old")
    await source.write(b"old", versions)
    await cache.get(source.key, source)
    await source.write(b"new", versions)
    clock.ahead = RENEWED_WITHIN * 5
    prepared.cache.command("DEL", source.part.key)
    await cache.get(Key(source.key.name + " other", source.key.parts), source)
    assert (await cache.get(source.key, source)).value == b"new"


async def test_a_write_whose_announcement_was_lost_is_seen_although_the_version_is_further(
    cache: Cache, versions: Versions
) -> None:
    """A commit is in the log before the main shows it: another writer's position may be behind it, and a fill's too."""
    source = Source(b"old")
    silent = versions.announcement([source.part.key])
    await source.write(b"old", versions)
    await cache.get(source.key, source)
    source.value = b"new"
    position = Position(0, 1, source.log.lsn)
    assert await silent.committed(position)
    assert (await cache.get(source.key, source, Writer(position))).value == b"new"


async def test_an_announcement_that_ran_out_counts_although_others_keep_its_version_alive(
    cache: Cache, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(b"old")
    await cache.get(source.key, source)
    monkeypatch.setattr("goldfleet.state.versions.COMMITTING", 0.1)
    await versions.announcement([source.part.key]).make()
    monkeypatch.undo()
    await versions.announcement([source.part.key]).make()
    source.value = b"new"

    async def new() -> bool:
        return (await cache.get(source.key, source)).value == b"new"

    await eventually(new, 2)


@pytest.mark.parametrize("others", ["fail", "hang"])
async def test_the_value_from_before_a_write_is_served_for_a_second_whatever_becomes_of_its_fills(
    cache: Cache, elsewhere: Cache, versions: Versions, clock: Clock, others: str
) -> None:
    source = Source(b"old")
    await cache.get(source.key, source)
    await source.write(b"new", versions)
    broken = failing if others == "fail" else Slow(source)
    for _ in range(3):
        told = await cache.get(source.key, broken)
        assert (told.value, told.hit) == (b"old", True)
    clock.ahead = RENEWED_WITHIN + 0.1
    if others == "fail":
        with pytest.raises(ConnectionError):
            await cache.get(source.key, broken)
    async with asyncio.timeout(SHORT_LEASE * 10):
        assert (await elsewhere.get(source.key, source)).value == b"new"


async def test_when_its_fills_fail_a_value_whose_lifetime_is_over_is_served_for_a_bounded_time(
    cache: Cache, prepared: Stores
) -> None:
    source = Source(b"old", ttl=0.2)
    await cache.get(source.key, source)

    async def gone() -> bool:
        try:
            return (await cache.get(source.key, failing)).value != b"old"
        except ConnectionError:
            return True

    await eventually(gone)
    assert prepared.cache.command("EXISTS", cache._shelf.value_of(source.key)) == b":0\r\n"


async def test_what_nobody_can_read_is_not_there(cache: Cache, prepared: Stores) -> None:
    source = Source()
    for rubbish in ("", "x", "+\n", "+x \n"):
        prepared.cache.command("SET", cache._shelf.value_of(source.key), rubbish, "PX", "9000")
        assert (await cache.get(source.key, source)).value == b"value"
    assert (await cache.get(source.key, source)).hit


async def test_a_clone_whose_clock_is_wrong_keeps_nothing_for_longer_than_its_lifetime(
    cache: Cache, prepared: Stores, clock: Clock
) -> None:
    clock.ahead = 10**6
    source = Source(ttl=10)
    await cache.get(source.key, source)
    clock.ahead = 0.0
    assert (await cache.get(source.key, source)).hit
    assert int(prepared.cache.command("PTTL", cache._shelf.value_of(source.key))[1:]) <= 20_000

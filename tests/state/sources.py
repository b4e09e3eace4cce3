"""Caches, and sources for them, that a test can watch: `from tests.state.sources import cache as cache`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from goldfleet.state.cache import Cache, Key, Needs, Part
from goldfleet.state.position import Position
from goldfleet.state.store import Store
from goldfleet.state.versions import Versions
from tests.state.conftest import DATABASE
from tests.stores import Stores

PATIENT = 0.5
"""Seconds: on a busy machine a test must not take the cache for down."""
SHORT_LEASE = 0.3


@pytest.fixture
async def cache(prepared: Stores) -> AsyncIterator[Cache]:
    async for cache in _cache(prepared):
        yield cache
    prepared.start()


@pytest.fixture
async def elsewhere(prepared: Stores) -> AsyncIterator[Cache]:
    """Another clone's."""
    async for cache in _cache(prepared):
        yield cache


@pytest.fixture
async def versions(prepared: Stores) -> AsyncIterator[Versions]:
    store = Store(prepared.environment(DATABASE).cache, "cache", PATIENT)
    versions = Versions(store)
    yield versions
    await versions.close()
    await store.close()


async def _cache(prepared: Stores) -> AsyncIterator[Cache]:
    store = Store(prepared.environment(DATABASE).cache, "cache", PATIENT)
    cache = Cache(store, lease=SHORT_LEASE)
    yield cache
    await cache.close()
    await store.close()


class Log:
    """Stands for a shard: where its main's log is."""

    def __init__(self) -> None:
        self.index = 0
        self.lsn = 100
        self.asked = 0

    async def position(self) -> Position:
        self.asked += 1
        return Position(0, 1, self.lsn)


class Source:
    """Where a value really lives, and the key of one part that it is made of; counts how often it is read."""

    def __init__(self, value: bytes | None = b"value", ttl: float = 60) -> None:
        self.log = Log()
        self.part = Part(self.log, uuid4().hex, 1)
        self.key = Key(uuid4().hex, (self.part,), ttl)
        self.value = value
        self.needs: list[Needs] = []

    @property
    def reads(self) -> int:
        return len(self.needs)

    async def __call__(self, needs: Needs) -> bytes | None:
        self.needs.append(needs)
        return self.value

    async def write(self, value: bytes, versions: Versions) -> Position:
        """As a transaction does: announce, commit, move."""
        announcement = versions.announcement([self.part.key])
        await announcement.make()
        self.value = value
        self.log.lsn += 10
        position = Position(0, 1, self.log.lsn)
        assert await announcement.committed(position)
        return position


class Writer:
    """A reader who has written up to a position."""

    def __init__(self, position: Position, *, distrusts_cache: bool = False) -> None:
        self.distrusts_cache = distrusts_cache
        self._position = position

    def position(self, shard: Any) -> Position:
        return self._position


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For clones that are opened from here on: to be asked for before `state`."""
    monkeypatch.setattr("goldfleet.state.state.REPLY", PATIENT)

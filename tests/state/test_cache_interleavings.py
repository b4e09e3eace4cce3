"""Writers, readers and a store that forgets, in thousands of orders: no old value is left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from goldfleet.state.store import Script, Store
from goldfleet.state.versions import COMMON, Announcement
from tests.state.conftest import DATABASE
from tests.state.interleaving import Schedule, World
from tests.state.sources import Writer
from tests.stores import Stores

# As if the time that an announcement lasts had passed.
_LAPSE = Script(
    COMMON
    + """
local text, before, left = known(KEYS[1], '')
for index, writer in ipairs(left) do
  if string.find(writer, ARGV[1], 1, true) then left[index] = ARGV[1] .. '@1' end
end
put(KEYS[1], text, before, left, 10000)
"""
)


class Killed(Exception):
    """A writer ends where it is."""


@pytest.fixture
async def store(prepared: Stores) -> AsyncIterator[Store]:
    store = Store(prepared.environment(DATABASE).cache, "cache", 1.0)
    yield store
    await store.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits asks again at once, and what was written is to be seen at once."""
    monkeypatch.setattr("goldfleet.state.cache._POLLS", (0.0,))
    monkeypatch.setattr("goldfleet.state.entry.RENEWED_WITHIN", -1.0)


@dataclass(frozen=True)
class Actors:
    """Who takes steps in a world.

    Args:
        world: which.
        loses: one in so many of the writers' messages to the cache gets no answer; 0: none.
        kills: a writer may end anywhere.
    """

    world: World
    loses: int
    kills: bool

    async def writer(self) -> None:
        versions = self.world.versions(loses=self.loses)
        announcement = versions.announcement([self.world.part.key])
        try:
            await self._write(announcement)
        except Killed:
            await self.world.schedule.step("was killed, and its announcement runs out")
            await self.world.store.script(_LAPSE, [self.world.part.key], announcement._token)
        finally:
            await versions.close()

    async def _write(self, announcement: Announcement) -> None:
        await announcement.make()
        self._may_die()
        write, position = await self.world.commit()
        self._may_die()
        renewed = await announcement.committed(position)
        own = Writer(position, distrusts_cache=not renewed)
        for key in self.world.keys:
            assert write in await self.world.get(key, own), "a writer does not see the own write"

    def _may_die(self) -> None:
        if self.kills and self.world.schedule.chance(4):
            raise Killed

    async def reader(self) -> None:
        for _ in range(2):
            await self.world.get(self.world.schedule.random.choice(self.world.keys))

    async def evictor(self) -> None:
        for _ in range(2):
            await self.world.schedule.step("evicts the version")
            await self.world.store.command("DEL", self.world.part.key)

    async def late(self) -> None:
        for key in self.world.keys:
            for _ in range(2):
                assert await self.world.get(key) == self.world.truth, "an old value is left"


async def explore(store: Store, seed: int, *, loses: int = 0, kills: bool = False, forgets: bool = False) -> None:
    """One order of three writers, three readers and what may happen to them.

    Args:
        store: the cache's.
        seed: of the order.
        loses, kills: as of the actors.
        forgets: the store evicts the version at any moment.
    """
    schedule = Schedule(seed)
    actors = Actors(World(store, schedule, uuid4().hex), loses, kills)
    try:
        await schedule.run([*[actors.writer] * 3, *[actors.reader] * 3, *([actors.evictor] if forgets else [])])
        if not loses:
            await schedule.run([actors.late])
    except AssertionError as error:
        raise AssertionError("\n".join([f"seed {seed}: {error}", *schedule.trace])) from error


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "faults",
    [{}, {"forgets": True}, {"kills": True}, {"loses": 4}, {"loses": 4, "forgets": True}],
    ids=["none", "evicted", "killed", "lost", "lost and evicted"],
)
async def test_whatever_the_order_no_old_value_is_left(
    store: Store, counts: Callable[[int, int], int], faults: dict[str, Any]
) -> None:
    for seed in range(counts(60, 2_000)):
        await explore(store, seed, **faults)

"""Whoever has written sees it, whichever clone and server answers: through a balancer, over clones in processes of
their own, at any lag and through a promotion. All others are answered by replicas meanwhile.
"""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pytest

from goldfleet.state.ids import Ids, random_logical_shard
from tests.postgres_server import PostgresServer
from tests.state.clones import Person, fleet
from tests.state.conftest import DATABASE, own_stores
from tests.stores import Stores, eventually

Counts = Callable[[int, int], int]
Tell = Callable[[str], None]
WRITERS, STRANGERS = 8, 2
PAGES = ("read", "cached_object", "cached_query")
"""One of them is read after each write."""

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Stores of their own, with two replicas: a test here loses its main."""
    async with own_stores(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
async def port(pair: Stores, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """Of the balancer in front of three clones."""
    async with fleet(pair, DATABASE, tmp_path_factory.mktemp("fleet")) as opened:
        yield opened


@dataclass
class Seen:
    """What was seen."""

    pairs: int = 0
    stale: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    clones: set[int] = field(default_factory=set)
    strangers: Counter[str] = field(default_factory=Counter)

    def told(self, when: str, replicas: list[PostgresServer]) -> str:
        """One line for a person."""
        refused = "".join(f", {count} times {status}" for status, count in self.refused.items())
        others = f"others on replicas {self.on_replicas(replicas):.1%}"
        return f"read your writes, {when}: {self.stale} stale of {self.pairs} pairs{refused}; {others}"

    def on_replicas(self, replicas: list[PostgresServer]) -> float:
        """The part of the strangers' reads that replicas answered."""
        names = {str(replica.endpoint) for replica in replicas}
        return sum(count for server, count in self.strangers.items() if server in names) / self.strangers.total()


class People:
    """Writers, each of whom writes their note and then reads it, in one way or another; and strangers, who read."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.seen = Seen()

    async def write_and_read(self, pairs: int) -> Seen:
        """Until so many pairs of a write and a read went through."""
        self._wanted = pairs
        async with self._strangers(), AsyncExitStack() as stack:
            writers = [await stack.enter_async_context(self._person()) for _ in range(WRITERS)]
            await asyncio.gather(*(self._write_and_read(writer) for writer in writers))
        return self.seen

    @asynccontextmanager
    async def _person(self) -> AsyncIterator[Person]:
        async with Person(self._port, Ids().new(random_logical_shard())) as person:
            await person.must("login")
            yield person

    async def _write_and_read(self, person: Person) -> None:
        tries = 0
        while self.seen.pairs < self._wanted:
            tries += 1
            text = f"{person.note} {tries}"
            if not (written := await person.ask("write", text)).good:
                # It may have happened or not: nothing can be expected of what is read now.
                self.seen.refused[written.status] += 1
                await asyncio.sleep(0.05)
                continue
            self.seen.clones.add(written.answer.clone)
            await self._read(person, PAGES[tries % len(PAGES)], text)

    async def _read(self, person: Person, page: str, text: str) -> None:
        reply = await person.ask(page)
        if not reply.good:
            self.seen.refused[reply.status] += 1
            return
        self.seen.pairs += 1
        self.seen.stale += reply.answer.text != text

    @asynccontextmanager
    async def _strangers(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(self._look_around(stop)) for _ in range(STRANGERS)]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def _look_around(self, stop: asyncio.Event) -> None:
        async with self._person() as person:
            while not stop.is_set():
                reply = await person.ask("stranger")
                self.seen.strangers[reply.answer.server if reply.good else str(reply.status)] += 1
                await asyncio.sleep(0.005)


async def test_at_no_lag(pair: Stores, port: int, counts: Counts, tell: Tell) -> None:
    seen = await nobody_is_stale_and_others_read_replicas(pair, port, counts(150, 10_000))
    tell(seen.told("no lag", pair.replicas))


async def test_at_50_ms_of_lag(pair: Stores, port: int, counts: Counts, tell: Tell) -> None:
    with configured(pair.replicas, "recovery_min_apply_delay", "50ms"):
        seen = await nobody_is_stale_and_others_read_replicas(pair, port, counts(150, 10_000))
    tell(seen.told("50 ms of lag", pair.replicas))


async def test_with_replay_paused(pair: Stores, port: int, counts: Counts, tell: Tell) -> None:
    for replica in pair.replicas:
        replica.pause_replay()
    try:
        seen = await People(port).write_and_read(counts(150, 10_000))
    finally:
        for replica in pair.replicas:
            replica.sql("SELECT pg_wal_replay_resume()")
    tell(seen.told("replay paused", pair.replicas))
    assert (seen.stale, seen.refused) == (0, {})


async def test_one_replica_behind_the_other(pair: Stores, port: int, counts: Counts, tell: Tell) -> None:
    with configured(pair.replicas[1:], "recovery_min_apply_delay", "50ms"):
        seen = await nobody_is_stale_and_others_read_replicas(pair, port, counts(150, 10_000))
    tell(seen.told("one replica 50 ms behind", pair.replicas))


async def test_through_a_promotion(pair: Stores, port: int, counts: Counts, tell: Tell) -> None:
    """The main's data are gone; the replica that is further is promoted, under the main's address, as RDS does."""
    pair.main.configure("synchronous_standby_names", "ANY 2 (*)")  # what is committed here, all have received
    people = People(port)
    seen, wanted = people.seen, counts(150, 10_000)
    writing = asyncio.create_task(people.write_and_read(wanted))
    await eventually(lambda: reached(seen, wanted // 3), 900)
    promoted = await asyncio.to_thread(lose_main, pair)
    seen = await writing
    tell(seen.told("through a promotion", pair.replicas))
    assert seen.stale == 0
    assert set(seen.refused) <= {503}
    assert timeline(promoted) == 2

    async def others_read_the_replica_that_is_left() -> bool:
        return (await People(port).write_and_read(100)).on_replicas(pair.replicas) >= 0.95

    await eventually(others_read_the_replica_that_is_left, 30)


async def nobody_is_stale_and_others_read_replicas(pair: Stores, port: int, pairs: int) -> Seen:
    await eventually(lambda: all_caught_up(port), 30)
    seen = await People(port).write_and_read(pairs)
    assert (seen.stale, seen.refused) == (0, {})
    assert len(seen.clones) == 3
    assert seen.on_replicas(pair.replicas) >= 0.95, seen
    return seen


async def all_caught_up(port: int) -> bool:
    """Every clone has every server in rotation."""
    async with Person(port, 0) as person:
        return all([(await person.ask("ready")).good for _ in range(6)])


async def reached(seen: Seen, pairs: int) -> bool:
    return seen.pairs >= pairs


def lose_main(stores: Stores) -> PostgresServer:
    """Kills the main, deletes its data, promotes the replica that has received more."""
    stores.main.kill()
    shutil.rmtree(stores.main.folder / "data")
    promoted = max(stores.replicas, key=lambda each: int(each.sql("SELECT pg_last_wal_receive_lsn() - '0/0'")))
    stores.replicas.remove(promoted)
    stores.list_replicas(*stores.replicas)
    promoted.promote(stores.main.endpoint, [replica.folder.name for replica in stores.replicas])
    stores.main = promoted
    return promoted


def timeline(main: PostgresServer) -> int:
    return int(main.sql("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"), 16)


@contextmanager
def configured(servers: list[PostgresServer], setting: str, value: str) -> Iterator[None]:
    before = [server.sql(f"SHOW {setting}") for server in servers]
    for server in servers:
        server.configure(setting, value)
    try:
        yield
    finally:
        for server, old in zip(servers, before, strict=True):
            server.configure(setting, old)

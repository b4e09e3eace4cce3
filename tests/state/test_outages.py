"""What people see while a store is gone, frozen or slow: three clones behind a balancer, under steady load.

Nobody ever gets a wrong answer, no request takes longer than its deadline, and once the store is back everything works
again by itself. Whatever the fault has nothing to do with goes on. What was seen is told at the end.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

import pytest

from goldfleet.contract.deadlines import REQUEST
from goldfleet.state.ids import Ids, random_logical_shard
from tests.server import Server
from tests.state.clones import Person, Reply, fleet
from tests.state.conftest import DATABASE, own_stores
from tests.stores import Stores

Counts = Callable[[float, float], float]
Tell = Callable[[str], None]
PEOPLE = 6
PAUSE = 0.01
RECOVERED = 30.0
WELL = 0.5
"""Seconds without an error after which everything is said to work again."""
FROZEN = 2.0
"""Seconds that a store stays frozen, at least."""
STRANGER, READ, CACHED, WRITE = "stranger", "read", "cached_object", "write"
PAGES = (STRANGER, READ, CACHED, WRITE)

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
async def stores(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stores]:
    """Stores of their own, with two replicas."""
    async with own_stores(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
async def port(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """Of the balancer."""
    async with fleet(stores, DATABASE, tmp_path_factory.mktemp("fleet")) as opened:
        yield opened


@dataclass
class Seen:
    """What people saw of one page, each reply with the moment it came."""

    replies: list[tuple[float, Reply]] = field(default_factory=list)
    wrong: int = 0


class Load:
    """People who read and write their notes all the time, and know what they must see."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.pages = {page: Seen() for page in PAGES}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            people = [await stack.enter_async_context(self._person()) for _ in range(PEOPLE)]
            tasks = [asyncio.create_task(self._use(person, stop)) for person in people]
            try:
                yield
            finally:
                stop.set()
                await asyncio.gather(*tasks)

    @property
    def last_failure(self) -> float:
        """When the last reply came that was no good one."""
        failures = [when for seen in self.pages.values() for when, reply in seen.replies if not reply.good]
        return max(failures, default=0.0)

    @asynccontextmanager
    async def _person(self) -> AsyncIterator[Person]:
        async with Person(self._port, Ids().new(random_logical_shard())) as person:
            await person.must("login")
            yield person

    async def _use(self, person: Person, stop: asyncio.Event) -> None:
        tries = 0
        possible: set[str | None] = {None}
        while not stop.is_set():
            tries += 1
            text = f"{person.note} {tries}"
            written = await self._ask(person, WRITE, text)
            # A write without a good answer may have happened, and may still happen.
            possible = {text} if written.good else possible | {text}
            for page in (STRANGER, READ, CACHED):
                reply = await self._ask(person, page)
                if reply.good and page != STRANGER:
                    self.pages[page].wrong += reply.answer.text not in possible
            await asyncio.sleep(PAUSE)

    async def _ask(self, person: Person, page: str, text: str = "") -> Reply:
        reply = await person.ask(page, text)
        self.pages[page].replies.append((monotonic(), reply))
        return reply


@dataclass(frozen=True)
class Fault:
    """What is done to the stores, which pages go on meanwhile, and how many seconds it lasts at least.

    A frozen store is noticed when it has not answered for a second, so that takes longer than one that is gone.
    """

    name: str
    harm: Callable[[Stores], None]
    goes_on: Sequence[str] = PAGES
    lasts: float = 0.5


def kills(which: Callable[[Stores], Server]) -> Callable[[Stores], None]:
    return lambda stores: which(stores).kill()


def freezes(which: Callable[[Stores], Server]) -> Callable[[Stores], None]:
    return lambda stores: which(stores).freeze()


FAULTS = (
    Fault("cache killed", kills(lambda stores: stores.cache)),
    Fault("cache frozen", freezes(lambda stores: stores.cache), lasts=FROZEN),
    Fault("sessions killed", kills(lambda stores: stores.sessions), [STRANGER]),
    Fault("sessions frozen", freezes(lambda stores: stores.sessions), [STRANGER], lasts=FROZEN),
    Fault("first replica killed", kills(lambda stores: stores.replicas[0])),
    Fault("second replica killed", kills(lambda stores: stores.replicas[1])),
    Fault("first replica frozen", freezes(lambda stores: stores.replicas[0]), lasts=FROZEN),
    Fault("main killed", kills(lambda stores: stores.main), [STRANGER]),
    Fault("main frozen", freezes(lambda stores: stores.main), [STRANGER], lasts=FROZEN),
)


def freeze_all(stores: Stores) -> None:
    for server in stores.servers:
        server.freeze()


ALL_SLOW = Fault("each takes 1 s to answer", freeze_all, ())


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_harms_nobody_for_longer_than_it_lasts(
    stores: Stores, port: int, counts: Counts, tell: Tell, fault: Fault
) -> None:
    load = Load(port)
    async with load.running():
        await asyncio.sleep(0.2)
        began = monotonic()
        await asyncio.to_thread(fault.harm, stores)
        await asyncio.sleep(counts(fault.lasts, 10))
        ended = monotonic()
        await asyncio.to_thread(stores.start)
        await works_again(load)
    judge(load, fault, (began, ended), tell)


async def test_stores_that_take_a_second_to_answer(stores: Stores, port: int, counts: Counts, tell: Tell) -> None:
    load = Load(port)
    async with load.running():
        await asyncio.sleep(0.2)
        began = monotonic()
        for _ in range(int(counts(2, 15))):
            ALL_SLOW.harm(stores)
            await asyncio.sleep(1)
            for server in stores.servers:
                server.thaw()
            await asyncio.sleep(0.01)
        ended = monotonic()
        await works_again(load)
    judge(load, ALL_SLOW, (began, ended), tell)


async def works_again(load: Load) -> None:
    since = monotonic()
    end = since + RECOVERED
    while monotonic() - max(load.last_failure, since) < WELL:
        assert monotonic() < end, "does not recover"
        await asyncio.sleep(0.05)


def judge(load: Load, fault: Fault, lasted: tuple[float, float], tell: Tell) -> None:
    """Fails if anything was wrong, and tells what was seen during the fault."""
    began, ended = lasted
    recovered = max(0.0, load.last_failure - ended)
    for page, seen in load.pages.items():
        replies = [reply for moment, reply in seen.replies if began <= moment <= ended]
        statuses, seconds = Counter(reply.status for reply in replies), [reply.seconds for reply in replies] or [0.0]
        others = statuses.total() - statuses[200] - statuses[503]
        tell(
            f"{fault.name:25} {page:14} {statuses[200]:5} good {statuses[503]:5} times 503 {others:3} other,"
            f" median {statistics.median(seconds) * 1000:5.0f} ms, slowest {max(seconds):5.2f} s,"
            f" works again after {recovered:.1f} s",
        )
        statuses = Counter(reply.status for _, reply in seen.replies)
        assert seen.wrong == 0, (fault.name, page)
        assert set(statuses) <= ({200} if page in fault.goes_on else {200, 503}), (fault.name, page, statuses)
        assert max(reply.seconds for _, reply in seen.replies) < REQUEST, (fault.name, page)

"""The cache between processes: a replica that is behind, many who want the same, and one who is killed at it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from goldfleet.state.cache import LEASE
from goldfleet.state.position import Written
from goldfleet.state.state import State
from tests.state.cache_clone import clone_processes
from tests.state.sources import patient as patient  # noqa: PLC0414  a fixture
from tests.stores import Stores, eventually

pytestmark = pytest.mark.usefixtures("patient")

CLONES = 4
TASKS = 50


@pytest.fixture
def slow_replica(prepared: Stores) -> Iterator[None]:
    """The replica shows a commit 50 ms late."""
    prepared.replica.sql("ALTER SYSTEM SET recovery_min_apply_delay = '50ms'")
    prepared.replica.sql("SELECT pg_reload_conf()")
    yield
    prepared.replica.sql("ALTER SYSTEM RESET recovery_min_apply_delay")
    prepared.replica.sql("SELECT pg_reload_conf()")


async def write(state: State, note: int, text: str) -> Written:
    async with state.database.of(note).write() as transaction:
        sql = "INSERT INTO notes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET text = excluded.text"
        await transaction.execute(sql, note, text)
        transaction.touch("notes", note)
    return transaction.written


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("slow_replica")
async def test_a_replica_50_ms_behind_poisons_a_naive_cache_and_not_this_one(
    state: State, prepared: Stores, new_user: Callable[[], int], counts: Callable[[int, int], int]
) -> None:
    notes = [new_user() for _ in range(counts(15, 500))]
    for note in notes:
        await write(state, note, "old")

    async def replayed() -> bool:
        return prepared.replica.sql(f"SELECT text FROM notes WHERE id = {notes[-1]}", "state") == "old"

    await eventually(replayed)
    naive = first = own = later = 0
    async with clone_processes(prepared, 1) as [clone]:
        for note in notes:
            session, token = await state.sessions.start(note)
            await write(state, note, "new")
            prepared.cache.command("DEL", f"naive:{note}")
            await clone.ask("naive", note)
            first += await clone.ask("get", note) != ["new", False]
            await session.wrote(await write(state, note, "newer"))
            own += (await clone.ask("get", note, token))[0] != "newer"
            later += await clone.ask("get", note) != ["newer", True]
        await eventually(lambda: _replayed(prepared, notes[-1]))
        for note in notes:
            naive += (await clone.ask("naive", note))[0] == "old"
    print(  # noqa: T201  for the docs
        f"\nstale of {len(notes)}: naive {naive}; ours, first fill {first}, own write {own}, others after it {later}"
    )
    assert (first, own, later) == (0, 0, 0)
    assert naive > len(notes) / 2


async def _replayed(stores: Stores, note: int) -> bool:
    return stores.replica.sql(f"SELECT text FROM notes WHERE id = {note}", "state") == "newer"


@pytest.mark.timeout(600)
async def test_one_load_in_all_for_a_cold_key_and_for_each_time_it_expires(
    state: State, prepared: Stores, counts: Callable[[int, int], int]
) -> None:
    rounds = counts(1, 20)
    name = uuid4().hex
    async with clone_processes(prepared, CLONES) as clones:
        for wanted in range(1, rounds + 2):
            await asyncio.gather(*(clone.ask("hot", name, TASKS, 50, wanted) for clone in clones))
            assert _loads(prepared, name) == wanted
    tasks = f"{CLONES * TASKS} tasks on {CLONES} processes"
    print(f"\n{tasks}: {rounds + 1} loads for a cold miss and {rounds} times expired")  # noqa: T201  for the docs


async def test_a_holder_that_is_killed_delays_the_others_by_its_lease_and_no_longer(
    state: State, prepared: Stores
) -> None:
    name = uuid4().hex
    async with clone_processes(prepared, CLONES) as [holder, *clones]:
        assert await holder.ask("hang", name) == "filling"
        await holder.kill()
        asked = (clone.ask("hot", name, TASKS, 50, 1) for clone in clones)
        waited = [seconds for told in await asyncio.gather(*asked) for seconds in told]
    print(f"\nthe longest wait was {max(waited):.2f} s, the lease is {LEASE:.0f} s")  # noqa: T201  for the docs
    assert len(waited) == len(clones) * TASKS
    assert 1 <= _loads(prepared, name) <= len(clones)
    # The load itself, and a machine that is busy with other tests, come on top.
    assert max(waited) < LEASE + 3


def _loads(stores: Stores, name: str) -> int:
    return int(stores.cache.command("GET", f"loads:{name}").split(b"\r\n")[1])

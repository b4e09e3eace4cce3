"""Transactions and reads on the stores as they should be, and what a clone's pools bound."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import asyncpg
import pytest

from goldfleet.contract.stores import DATABASE_POOL, Endpoint
from goldfleet.state.database import MAIN, Database
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.ids import LOGICAL_SHARDS, Ids
from goldfleet.state.position import Position
from goldfleet.state.state import State
from tests.state.conftest import DATABASE, NewUser
from tests.state.notes import INSERT, SELECT, read, write
from tests.stores import Stores, eventually


async def test_own_writes_are_read_from_any_clone(state: State, other: State, new_user: NewUser) -> None:
    user = new_user()
    for n in range(100):
        position = await write(state, user, str(n))
        assert (await read(other, user, Position.from_text(position.to_text())))[0] == str(n)


async def test_a_position_includes_the_commit(state: State, new_user: NewUser, prepared: Stores) -> None:
    async def is_past_the_commit() -> bool:
        position = await write(state, new_user(), "x")
        # The commit was flushed before `write` returned; something else may have been flushed since: then once more.
        return position.lsn >= int(prepared.main.sql("SELECT pg_current_wal_flush_lsn() - '0/0'"))

    await eventually(is_past_the_commit)


async def refuses_to_write(state: State) -> None:
    for attempt in (
        "INSERT INTO notes VALUES (1, '') RETURNING id",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "CREATE TABLE more (id bigint)",
    ):
        with pytest.raises(asyncpg.PostgresError, match=r"read-only transaction|read-write mode"):
            async with state.database.of(1).read() as reader:
                await reader.fetch(attempt)


async def test_the_replica_refuses_to_write_in_a_read(state: State) -> None:
    assert (await read(state, 1))[1] != MAIN
    await refuses_to_write(state)


async def test_the_main_refuses_to_write_in_a_read(state: State, prepared: Stores) -> None:
    prepared.list_replicas()

    async def served_by_main() -> bool:
        return (await read(state, 1))[1] == MAIN

    await eventually(served_by_main)
    await refuses_to_write(state)


async def test_an_exception_undoes_the_transaction(state: State, new_user: NewUser) -> None:
    user = new_user()

    async def fail() -> None:
        async with state.database.of(user).write() as transaction:
            await transaction.execute(INSERT, user, "lost")
            with pytest.raises(RuntimeError, match="block has ended"):
                _ = transaction.written.position
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with state.database.of(user).write() as transaction:
        assert await transaction.fetchrow(SELECT, user) is None


async def test_errors_of_a_statement_are_asyncpgs_own(state: State, new_user: NewUser) -> None:
    user = new_user()
    await write(state, user, "first")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with state.database.of(user).write() as transaction:
            await transaction.execute(INSERT, user, "second")
    with pytest.raises(asyncpg.InterfaceError, match="expects 2 arguments"):
        async with state.database.of(user).write() as transaction:
            await transaction.execute(INSERT, user)


async def test_the_pool_has_a_limit(state: State, new_user: NewUser) -> None:
    shard = state.database.of(new_user())
    held = [shard.write() for _ in range(8)]
    try:
        for each in held:
            await each.__aenter__()
        with pytest.raises(DatabaseDown):
            async with shard.write():
                pass
    finally:
        for each in held:
            await each.__aexit__(None, None, None)
    async with shard.write() as transaction:
        assert await transaction.fetchval("SELECT 1") == 1


async def test_cancelled_requests_leave_nothing_behind(state: State, new_user: NewUser) -> None:
    async def ask(n: int) -> int:
        async with state.database.of(n).read() as reader:
            return int(await reader.fetchval("SELECT $1::int FROM pg_sleep(0.001)", n))

    for n in range(60):
        tasks = [asyncio.create_task(ask(n * 10 + k)) for k in range(4)]
        await asyncio.sleep(0.0005 * (n % 5))
        tasks[n % 4].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for k, answer in enumerate(answers):
            assert isinstance(answer, asyncio.CancelledError) or answer == n * 10 + k


async def test_an_app_starts_with_everything_down(prepared: Stores) -> None:
    nowhere = Endpoint("127.0.0.1", 1)
    environment = prepared.environment(DATABASE)
    shards = tuple(replace(shard, main=nowhere, replicas_file="/nowhere") for shard in environment.shards)
    sessions, cache = (replace(store, primary=nowhere) for store in (environment.sessions, environment.cache))
    state = await State.open(replace(environment, shards=shards, sessions=sessions, cache=cache))
    try:
        ready = await state.ready()
        assert set(ready) == {"sessions", "cache", "database 0 main"}
        assert "ok" not in ready.values()
    finally:
        await state.close()


async def test_each_user_has_a_shard_and_names_have_one(prepared: Stores) -> None:
    shards = [prepared.shard(DATABASE)] * 4
    database = await Database.open(shards)
    try:
        homes = {database.of(Ids().new(logical)).index for logical in range(0, LOGICAL_SHARDS, 512)}
        assert homes == {0, 1, 2, 3}
        assert database.directory.index == 0
    finally:
        await database.close()


async def test_a_read_that_is_cancelled_at_its_end_gives_its_connection_back(state: State, prepared: Stores) -> None:
    shard, leave = state.database.directory, asyncio.Event()
    inside: list[str] = []

    async def read() -> None:
        async with shard.read(after=Position(0, 99, 0)) as reader:  # which no replica has
            await reader.fetchval("SELECT 1")
            inside.append(reader.server)
            await leave.wait()

    async def all_inside() -> bool:
        return inside == [MAIN] * DATABASE_POOL

    tasks = [asyncio.create_task(read()) for _ in range(DATABASE_POOL)]
    await eventually(all_inside)
    prepared.main.freeze()  # so that the end of the transaction waits
    leave.set()
    for _ in range(10):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    prepared.main.thaw()

    async def answers() -> bool:
        with suppress(DatabaseDown):
            await asyncio.gather(*(read() for _ in range(2 * DATABASE_POOL)))
            return True
        return False

    await eventually(answers)

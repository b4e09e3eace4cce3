"""What requests see while a server is gone, frozen, slow, or something else than it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from goldfleet.contract.stores import DATABASE_POOL
from goldfleet.state.database import MAIN, Shard
from goldfleet.state.exceptions import BadStatement, DatabaseDown
from goldfleet.state.pool import Pool, PoolBusy
from goldfleet.state.state import State
from tests.state.conftest import DATABASE, NewUser
from tests.stores import Stores, eventually


@pytest.fixture
async def pool(prepared: Stores) -> AsyncIterator[Pool]:
    """Of the main."""
    opened = Pool(prepared.shard(DATABASE), prepared.main.endpoint)
    yield opened
    await opened.close()


@pytest.fixture
def shard(state: State, new_user: NewUser) -> Shard:
    return state.database.of(new_user())


async def server_of(shard: Shard) -> str:
    async with shard.read() as reader:
        await reader.fetchval("SELECT 1")
    return reader.server


async def refuses_at_once(shard: Shard) -> bool:
    """Ejected: nothing was even sent."""
    try:
        async with shard.write():
            return False
    except DatabaseDown as down:
        return "as of a moment ago" in down.what


async def writes(shard: Shard) -> bool:
    try:
        async with shard.write() as transaction:
            await transaction.fetchval("SELECT 1")
    except DatabaseDown:
        return False
    return True


async def test_a_read_under_way_on_a_frozen_replica_is_answered_by_another_server(
    shard: Shard, prepared: Stores
) -> None:
    async with shard.read() as reader:
        assert reader.server == str(prepared.replica.endpoint)
        prepared.replica.freeze()
        assert await reader.fetchval("SELECT 7") == 7
        assert reader.server == MAIN
    assert await server_of(shard) == MAIN
    prepared.replica.thaw()

    async def returned() -> bool:
        return await server_of(shard) == str(prepared.replica.endpoint)

    await eventually(returned)


async def test_a_block_that_has_read_something_stays_with_its_server(shard: Shard, prepared: Stores) -> None:
    async with shard.read() as reader:
        assert await reader.fetchval("SELECT 7") == 7
        prepared.replica.kill()
        with pytest.raises(DatabaseDown):
            await until_it_fails(reader.fetchval)


async def test_nobody_waits_for_a_frozen_main(shard: Shard, prepared: Stores) -> None:
    prepared.main.freeze()
    await eventually(lambda: refuses_at_once(shard))
    refused = await asyncio.gather(*(refuses_at_once(shard) for _ in range(10 * DATABASE_POOL)))
    assert all(refused)
    assert await server_of(shard) == str(prepared.replica.endpoint)
    prepared.main.thaw()
    await eventually(lambda: writes(shard))


async def test_a_slow_statement_ejects_nobody(shard: Shard, prepared: Stores) -> None:
    async def slow_read() -> None:
        async with shard.read() as reader:
            await reader.fetch("SELECT pg_sleep(3)")

    async def slow_write() -> None:
        async with shard.write() as transaction:
            await transaction.fetch("SELECT pg_sleep(3)")

    slow = asyncio.gather(slow_read(), slow_write())
    servers, written = set(), set()
    while not slow.done():
        servers.add(await server_of(shard))
        written.add(await writes(shard))
        await asyncio.sleep(0.05)
    await slow
    assert (servers, written) == ({str(prepared.replica.endpoint)}, {True})


async def test_a_full_pool_ejects_nobody_and_sends_nobody_to_the_main(shard: Shard, prepared: Stores) -> None:
    held = [shard.read() for _ in range(DATABASE_POOL)]
    for each in held:
        await each.__aenter__()
    try:
        with pytest.raises(PoolBusy):
            await server_of(shard)
    finally:
        for each in held:
            await each.__aexit__(None, None, None)
    assert await server_of(shard) == str(prepared.replica.endpoint)


async def test_a_standby_at_the_mains_address_is_no_main(
    state: State, new_user: NewUser, prepared: Stores, shard: Shard
) -> None:
    address, standby = prepared.main.endpoint, prepared.replica.endpoint
    prepared.list_replicas()
    prepared.main.kill()
    prepared.replica.stop()
    prepared.replica.endpoint = address
    prepared.replica.start()
    try:

        async def is_refused() -> bool:
            try:
                await server_of(shard)
            except DatabaseDown as down:
                return "is a standby" in down.what
            return False

        await eventually(is_refused)
        with pytest.raises(DatabaseDown, match="is a standby"):
            async with shard.write():
                pass
        with pytest.raises(DatabaseDown):
            await shard.position()
    finally:
        prepared.replica.stop()
        prepared.replica.endpoint = standby
        prepared.start()
    await eventually(lambda: writes(shard))

    async def listed() -> bool:
        return await server_of(shard) == str(standby)

    await eventually(listed)


async def test_a_statement_that_failed_is_not_committed_over(shard: Shard, new_user: NewUser) -> None:
    user = new_user()

    async def goes_on() -> None:
        async with shard.write() as transaction:
            await transaction.execute("INSERT INTO notes VALUES ($1, '')", user)
            with pytest.raises(asyncpg.UniqueViolationError):
                await transaction.execute("INSERT INTO notes VALUES ($1, '')", user)

    with pytest.raises(asyncpg.InFailedSQLTransactionError, match="all was undone"):
        await goes_on()
    async with shard.write() as transaction:
        assert await transaction.fetchrow("SELECT * FROM notes WHERE id = $1", user) is None


async def test_statements_that_would_change_the_connection_are_refused(shard: Shard) -> None:
    async with shard.read() as reader:
        for sql in ("SET work_mem = '1MB'", "COMMIT", "LISTEN people"):
            with pytest.raises(BadStatement):
                await reader.fetch(sql)
    async with shard.write() as transaction:
        with pytest.raises(BadStatement):
            await transaction.execute("SELECT set_config('work_mem', '1MB', false)")
        await transaction.execute("SET LOCAL work_mem = '1MB'")


@pytest.mark.parametrize("on_main", [False, True])
async def test_what_a_function_loosens_loosens_nothing(shard: Shard, prepared: Stores, on_main: bool) -> None:
    prepared.main.sql(
        "CREATE OR REPLACE FUNCTION loosen() RETURNS void LANGUAGE sql AS"
        " $$ SELECT set_config('default_transaction_read_only', 'off', false) $$",
        DATABASE,
    )
    if on_main:
        prepared.list_replicas()

    async def knows_it_there() -> bool:
        async with shard.read() as reader:
            made = await reader.fetchval("SELECT to_regproc('loosen') IS NOT NULL")
        return made and (reader.server == MAIN) is on_main

    await eventually(knows_it_there)
    for _ in range(2 * DATABASE_POOL):
        async with shard.read() as reader:
            await reader.fetch("SELECT loosen()")
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await reader.fetch("INSERT INTO notes VALUES (1, '') RETURNING id")
        async with shard.read() as reader:
            assert await reader.fetchval("SHOW default_transaction_read_only") == "on"


async def test_a_connection_is_used_again_whatever_happened_on_it(pool: Pool) -> None:
    async def pid() -> int:
        async with pool.connection() as connection:
            assert not connection.is_in_transaction()
            return int(await connection.fetchval("SELECT pg_backend_pid()"))

    async def stopped() -> None:
        async with pool.connection() as connection:
            await connection.execute("BEGIN")
            await connection.fetchval("SELECT pg_sleep(10)")

    first = await pid()
    task = asyncio.create_task(stopped())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async def again() -> bool:
        return not pool._mending and await pid() == first

    await eventually(again)
    assert len(pool._idle) == 1 + len({await pid() for _ in range(3)} - {first})


async def until_it_fails(ask: Callable[[str], object]) -> None:
    for _ in range(1000):
        await ask("SELECT 1")  # type: ignore[misc]
        await asyncio.sleep(0.01)

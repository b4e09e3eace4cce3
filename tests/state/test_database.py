from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from goldfleet.contract.stores import DATABASE_POOL, Endpoint
from goldfleet.state.access import read_password
from goldfleet.state.database import MAIN, Database
from goldfleet.state.exceptions import DatabaseDown, OutcomeUnknown
from goldfleet.state.ids import LOGICAL_SHARDS, Ids
from goldfleet.state.position import Position
from goldfleet.state.state import State
from tests.state.conftest import DATABASE
from tests.stores import PostgresServer, Stores, eventually

NewUser = Callable[[], int]
INSERT = "INSERT INTO notes VALUES ($1, $2)"
SELECT = "SELECT text FROM notes WHERE id = $1"


async def write(state: State, user: int, text: str) -> Position:
    async with state.database.of(user).write() as transaction:
        await transaction.execute(INSERT + " ON CONFLICT (id) DO UPDATE SET text = excluded.text", user, text)
    return transaction.written.position


async def read(state: State, user: int, after: Position | None = None) -> tuple[str | None, str]:
    async with state.database.of(user).read(after) as reader:
        return await reader.fetchval(SELECT, user), reader.server


async def test_a_read_without_a_position_goes_to_the_replica(state: State, new_user: NewUser, prepared: Stores) -> None:
    _, server = await read(state, new_user())
    assert server == str(prepared.replica.endpoint)


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


async def test_a_paused_replica_answers_others_and_not_who_has_written(
    state: State, new_user: NewUser, paused_replay: None
) -> None:
    user = new_user()
    position = await write(state, user, "new")
    assert await read(state, user, position) == ("new", MAIN)
    # Without a position the replica may answer, with what it has: the position is what makes the difference.
    assert (await read(state, user))[0] is None


async def test_a_replica_that_has_caught_up_answers_again(state: State, new_user: NewUser, prepared: Stores) -> None:
    user = new_user()
    position = await write(state, user, "new")

    async def from_replica() -> bool:
        return await read(state, user, position) == ("new", str(prepared.replica.endpoint))

    await eventually(from_replica)


async def test_a_replica_that_lags_leaves_the_rotation_and_returns(
    state: State, new_user: NewUser, prepared: Stores, paused_replay: None
) -> None:
    user = new_user()
    await write(state, user, "new")

    async def served_by_main() -> bool:
        return (await read(state, user))[1] == MAIN

    await eventually(served_by_main)
    prepared.replica.sql("SELECT pg_wal_replay_resume()")

    async def served_by_replica() -> bool:
        return (await read(state, user)) == ("new", str(prepared.replica.endpoint))

    await eventually(served_by_replica)


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


async def test_a_dead_replica_leaves_and_returns(state: State, new_user: NewUser, prepared: Stores) -> None:
    user = new_user()
    await write(state, user, "kept")
    prepared.replica.kill()
    for _ in range(20):
        assert await read(state, user) == ("kept", MAIN)
    prepared.replica.start()

    async def returned() -> bool:
        return await read(state, user) == ("kept", str(prepared.replica.endpoint))

    await eventually(returned)


async def test_a_new_replica_is_taken_up_and_a_promoted_one_is_none_any_more(
    state: State, new_user: NewUser, prepared: Stores, tmp_path: Path
) -> None:
    user = new_user()
    await write(state, user, "kept")
    second = PostgresServer(tmp_path / "second", prepared.main)
    second.start()
    name = f"database 0 {second.endpoint}"
    try:
        prepared.list_replicas(prepared.replica, second)

        async def taken_up() -> bool:
            return (await state.ready()).get(name) == "ok"

        await eventually(taken_up)
        servers = {(await read(state, user))[1] for _ in range(8)}
        assert servers == {str(prepared.replica.endpoint), str(second.endpoint)}
        second.sql("SELECT pg_promote()")

        async def out() -> bool:
            return (await state.ready())[name] != "ok"

        await eventually(out)
        position = await write(state, user, "new")
        answers = [await read(state, user, position) for _ in range(8)]
        assert {text for text, _ in answers} == {"new"}
        assert str(second.endpoint) not in {server for _, server in answers}
    finally:
        prepared.list_replicas(prepared.replica)
        second.stop()
        prepared.main.sql("SELECT pg_drop_replication_slot('second')")


async def test_with_the_main_down_reads_go_on_and_writes_do_not(
    state: State, new_user: NewUser, prepared: Stores
) -> None:
    user = new_user()
    position = await write(state, user, "kept")

    async def on_replica() -> bool:
        return (await read(state, user, position))[1] != MAIN

    await eventually(on_replica)
    prepared.main.kill()
    assert await read(state, user) == ("kept", str(prepared.replica.endpoint))
    with pytest.raises(DatabaseDown) as down:
        await write(state, user, "lost")
    assert down.value.retry_after > 0
    assert not isinstance(down.value, OutcomeUnknown)
    prepared.main.start()

    async def writes() -> bool:
        try:
            return bool(await write(state, user, "new"))
        except DatabaseDown:
            return False

    await eventually(writes)


async def test_who_has_just_written_reads_on_when_the_main_dies_under_the_read(
    state: State, new_user: NewUser, prepared: Stores, paused_replay: None
) -> None:
    user = new_user()
    position = await write(state, user, "new")

    async def replica_has_it() -> bool:
        return (await read(state, user, position))[1] != MAIN

    async with state.database.of(user).read(position) as reader:
        assert reader.server == MAIN
        prepared.replica.sql("SELECT pg_wal_replay_resume()")
        await eventually(replica_has_it)
        prepared.main.kill()
        assert await reader.fetchval(SELECT, user) == "new"
        assert reader.server == str(prepared.replica.endpoint)


async def test_a_position_is_no_further_than_what_a_replica_can_get(
    state: State, new_user: NewUser, prepared: Stores
) -> None:
    user = new_user()
    await write(state, user, "new")
    owner = prepared.owner(DATABASE)
    stranger = await asyncpg.connect(
        host=owner.main.host,
        port=owner.main.port,
        user=owner.username,
        password=read_password(owner.password_file),
        database=DATABASE,
    )
    try:
        await stranger.execute("BEGIN")
        await stranger.execute(INSERT, new_user(), "not committed, so not flushed")
        async with state.database.of(user).write() as transaction:
            await transaction.fetchval("SELECT 1")
        prepared.main.kill()
    finally:
        stranger.terminate()

    async def is_read() -> bool:
        try:
            return await read(state, user, transaction.written.position) == ("new", str(prepared.replica.endpoint))
        except DatabaseDown:
            return False

    await eventually(is_read)


async def test_with_the_main_down_nobody_is_shown_less_than_they_wrote(
    state: State, new_user: NewUser, prepared: Stores, paused_replay: None
) -> None:
    user = new_user()
    position = await write(state, user, "new")
    prepared.main.kill()
    with pytest.raises(DatabaseDown):
        await read(state, user, position)
    assert (await read(state, user))[0] is None


async def test_a_main_that_dies_in_a_transaction_is_down(state: State, new_user: NewUser, prepared: Stores) -> None:
    user = new_user()

    async def interrupted() -> None:
        async with state.database.of(user).write() as transaction:
            await transaction.execute(INSERT, user, "lost")
            prepared.main.kill()
            for _ in range(1000):  # the process behind this connection outlives its server for a moment
                await transaction.fetchval("SELECT 1")
                await asyncio.sleep(0.01)

    with pytest.raises(DatabaseDown) as down:
        await interrupted()
    assert not isinstance(down.value, OutcomeUnknown)


async def test_a_commit_without_an_answer_is_said_to_be_unknown(
    state: State, new_user: NewUser, prepared: Stores
) -> None:
    user = new_user()

    async def interrupted() -> None:
        async with state.database.of(user).write() as transaction:
            await transaction.execute(INSERT, user, "perhaps")
            prepared.main.kill()

    with pytest.raises(OutcomeUnknown, match="look whether it happened"):
        await interrupted()


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

"""What readers and writers see when the main dies, before or under what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from goldfleet.state.access import read_password
from goldfleet.state.database import MAIN
from goldfleet.state.exceptions import DatabaseDown, OutcomeUnknown
from goldfleet.state.state import State
from tests.state.conftest import DATABASE, NewUser
from tests.state.notes import INSERT, SELECT, read, write
from tests.stores import Stores, eventually


@pytest.fixture
def rare_flushes(prepared: Stores) -> Iterator[None]:
    """Nobody but who commits flushes: what the WAL writer flushes right before a kill may never leave the main."""
    prepared.main.configure("wal_writer_delay", "10s")
    yield
    prepared.start()
    prepared.main.configure("wal_writer_delay", "200ms")


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
    state: State, new_user: NewUser, prepared: Stores, rare_flushes: None
) -> None:
    user = new_user()
    position = await write(state, user, "new")

    async def replica_has_it() -> bool:
        return (await read(state, user, position))[1] != MAIN

    await eventually(replica_has_it)
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

"""Which server answers a read: a replica that has what the reader wrote, else the main."""

from __future__ import annotations

from pathlib import Path

from goldfleet.state.database import MAIN
from goldfleet.state.state import State
from tests.postgres_server import PostgresServer
from tests.state.conftest import NewUser
from tests.state.notes import read, write
from tests.stores import Stores, eventually


async def test_a_read_without_a_position_goes_to_the_replica(state: State, new_user: NewUser, prepared: Stores) -> None:
    _, server = await read(state, new_user())
    assert server == str(prepared.replica.endpoint)


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

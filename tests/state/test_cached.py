from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg
import msgspec
import pytest

from goldfleet.state.cached import CachedObject, CachedQuery
from goldfleet.state.database import MAIN, Shard
from goldfleet.state.exceptions import OutcomeUnknown
from goldfleet.state.position import Position
from goldfleet.state.sessions import Session
from goldfleet.state.state import State
from tests.state.notes import Note, assemble
from tests.state.sources import patient as patient  # noqa: PLC0414  a fixture
from tests.stores import Stores, eventually

pytestmark = pytest.mark.usefixtures("patient")


NOTES = CachedObject("note", Note, assemble, made_of=("notes",))
BY_ID = CachedQuery("SELECT id, text FROM notes WHERE id = $1", Note, tables=("notes",))


async def write(state: State, note_id: int, text: str, session: Session | None = None) -> None:
    sql = "INSERT INTO notes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET text = excluded.text"
    async with state.database.of(note_id).write() as transaction:
        await transaction.execute(sql, note_id, text)
        transaction.touch("notes", note_id)
    if session is not None:
        await session.wrote(transaction.written)


async def query(state: State, note_id: int, session: Session) -> tuple[str, bool]:
    found = await BY_ID.fetch(state, state.database.of(note_id), note_id, seen=session)
    return found.value[0].text, found.hit


async def test_an_object_is_assembled_once_and_again_after_a_write(
    state: State, other: State, new_user: Callable[[], int]
) -> None:
    note = new_user()
    session, _ = await state.sessions.start(note)
    await write(state, note, "one", session)
    assert [(await NOTES.get(clone, note, session)).hit for clone in (state, other)] == [False, True]
    await write(other, note, "two", session)
    found = await NOTES.get(state, note, session)
    assert (found.value, found.hit) == (Note(note, "two"), False)


async def test_a_write_to_another_row_leaves_an_object_and_renews_a_query(
    state: State, new_user: Callable[[], int]
) -> None:
    note, another = new_user(), new_user()
    session, _ = await state.sessions.start(note)
    await write(state, note, "one", session)
    await NOTES.get(state, note, session)
    assert await query(state, note, session) == ("one", False)
    assert await query(state, note, session) == ("one", True)
    await write(state, another, "two", session)
    assert await query(state, note, session) == ("one", False)
    stranger = await NOTES.get(state, note)
    assert stranger.hit


async def test_the_arguments_and_the_shape_tell_queries_apart(state: State, new_user: Callable[[], int]) -> None:
    one, two = new_user(), new_user()
    session, _ = await state.sessions.start(one)
    await write(state, one, "one", session)
    await write(state, two, "two", session)
    assert (await query(state, one, session))[0] == "one"
    assert (await query(state, two, session))[0] == "two"

    class Longer(msgspec.Struct):
        id: int
        text: str
        extra: int = 1

    longer = CachedQuery("SELECT id, text FROM notes WHERE id = $1", Longer, tables=("notes",))
    found = await longer.fetch(state, state.database.of(one), one, seen=session)
    assert (found.hit, found.value) == (False, [Longer(one, "one")])


async def test_what_is_not_there_is_cached_as_that_until_it_is_made(
    state: State, other: State, new_user: Callable[[], int]
) -> None:
    note = new_user()
    session, _ = await state.sessions.start(note)
    assert (await NOTES.get(state, note)).value is None
    assert (await NOTES.get(other, note)).hit
    await write(other, note, "there", session)
    found = await NOTES.get(state, note, session)
    assert found.value == Note(note, "there")


@pytest.mark.usefixtures("paused_replay")
async def test_a_replica_that_is_behind_never_fills_the_cache(
    state: State, other: State, new_user: Callable[[], int]
) -> None:
    """What poisons a naive cache: write, invalidate, and another clone's reader fills from the replica."""
    note = new_user()
    await write(state, note, "old")
    assert (await NOTES.get(other, note)).value == Note(note, "old")
    await write(state, note, "new")

    async def new() -> bool:
        found = await NOTES.get(other, note)
        return found.value == Note(note, "new")

    async with asyncio.timeout(10):
        await eventually(new)
    for _ in range(5):
        found = await NOTES.get(other, note)
        assert (found.value, found.hit) == (Note(note, "new"), True)


async def test_a_fill_reads_a_replica_that_has_the_write(state: State, new_user: Callable[[], int]) -> None:
    note = new_user()
    await write(state, note, "old")

    async def from_a_replica() -> bool:
        await write(state, note, "new")
        await asyncio.sleep(0.05)
        return MAIN not in (await NOTES.get(state, note)).servers

    await eventually(from_a_replica)


async def test_with_the_cache_down_during_a_write_its_writer_never_sees_the_old_value(
    state: State, other: State, prepared: Stores, new_user: Callable[[], int]
) -> None:
    note = new_user()
    session, token = await state.sessions.start(note)
    await write(state, note, "old", session)
    await NOTES.get(state, note, session)
    prepared.cache.freeze()
    await write(state, note, "new", session)
    prepared.cache.thaw()
    elsewhere = await other.sessions.load(token)
    assert elsewhere is not None
    assert elsewhere.distrusts_cache
    assert (await NOTES.get(other, note, elsewhere)).value == Note(note, "new")

    async def told() -> bool:
        return (await NOTES.get(other, note)).value == Note(note, "new")

    await eventually(told)


async def test_a_transaction_that_is_undone_renews_nothing(state: State, new_user: Callable[[], int]) -> None:
    note = new_user()
    await write(state, note, "one")
    await NOTES.get(state, note)
    shard = state.database.of(note)

    async def undone() -> None:
        async with shard.write() as transaction:
            transaction.touch("notes", note)
            raise KeyError

    with pytest.raises(KeyError):
        await undone()
    assert (await NOTES.get(state, note)).hit


async def test_a_writer_that_is_cancelled_during_its_commit_leaves_no_old_value(
    state: State, new_user: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    note = new_user()
    await write(state, note, "old")
    await NOTES.get(state, note)
    committed, go_on = asyncio.Event(), asyncio.Event()
    take_position = Shard._position

    async def slow(shard: Shard, connection: object) -> Position:
        committed.set()
        await go_on.wait()
        return await take_position(shard, connection)

    monkeypatch.setattr(Shard, "_position", slow)
    task = asyncio.create_task(write(state, note, "new"))
    await committed.wait()
    task.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.setattr("goldfleet.state.entry.RENEWED_WITHIN", -1.0)
    assert (await NOTES.get(state, note)).value == Note(note, "new")


async def test_a_commit_whose_place_nobody_knows_is_not_taken_for_undone(
    state: State, new_user: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    note = new_user()
    await write(state, note, "old")
    await NOTES.get(state, note)

    async def broken(shard: Shard, connection: object) -> Position:
        raise asyncpg.ObjectNotInPrerequisiteStateError("recovery is in progress")

    monkeypatch.setattr(Shard, "_position", broken)
    monkeypatch.setattr("goldfleet.state.versions.COMMITTING", 0.3)
    with pytest.raises(OutcomeUnknown):
        await write(state, note, "new")
    monkeypatch.undo()

    async def new() -> bool:
        return (await NOTES.get(state, note)).value == Note(note, "new")

    await eventually(new, 5)


ODD = CachedQuery("SELECT 1 AS id, coalesce($1::float8::text, 'none') AS text", Note, tables=("notes",))


async def test_arguments_that_json_cannot_tell_apart_are_told_apart(state: State) -> None:
    shard = state.database.shards[0]
    told = {float("inf"): "Infinity", float("-inf"): "-Infinity", None: "none", float("nan"): "NaN"}
    for argument, text in told.items():
        assert (await ODD.fetch(state, shard, argument)).value[0].text == text


async def test_a_query_names_its_tables() -> None:
    with pytest.raises(ValueError, match="tables"):
        CachedQuery("SELECT 1", Note, tables=())

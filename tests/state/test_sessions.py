from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Callable
from time import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldfleet.state.entry import VALUES_LIVE
from goldfleet.state.exceptions import BadField, SessionEnded, SessionsDown
from goldfleet.state.position import Position, Written
from goldfleet.state.sessions import Session, Sessions
from goldfleet.state.store import Store
from tests.state.conftest import DATABASE
from tests.stores import Stores, eventually

NewUser = Callable[[], int]


class _Shard:
    index = 0


SHARD = _Shard()


@pytest.fixture
async def sessions(prepared: Stores) -> AsyncIterator[Sessions]:
    store = Store(prepared.environment(DATABASE).sessions, "sessions")
    yield Sessions(store)
    await store.close()
    prepared.start()


@pytest.fixture
async def elsewhere(prepared: Stores) -> AsyncIterator[Sessions]:
    """Another clone's."""
    store = Store(prepared.environment(DATABASE).sessions, "sessions")
    yield Sessions(store)
    await store.close()


async def loaded(sessions: Sessions, token: str) -> Session:
    session = await sessions.load(token)
    assert session is not None
    return session


async def test_any_clone_loads_what_one_has_started(sessions: Sessions, elsewhere: Sessions, new_user: NewUser) -> None:
    user = new_user()
    session, token = await sessions.start(user)
    await session.set("theme", "dark")
    other = await loaded(elsewhere, token)
    assert (other.user_id, other.fields, other.csrf_token) == (user, {"theme": "dark"}, session.csrf_token)
    assert other.created == session.created


@pytest.mark.parametrize("token", [None, "", "x", "a" * 76, "a" * 75 + "é", "a" * 76 + "\n", "{}" * 38, "\0" * 76])
async def test_an_unknown_token_opens_nothing_and_makes_nothing(
    sessions: Sessions, prepared: Stores, token: str | None
) -> None:
    before = prepared.sessions.command("DBSIZE")
    assert await sessions.load(token) is None
    assert prepared.sessions.command("DBSIZE") == before


async def test_a_login_never_takes_over_an_id_that_the_client_chose(sessions: Sessions, new_user: NewUser) -> None:
    user = new_user()
    _, planted = await sessions.start(user)
    _, token = await sessions.start(user)
    assert token != planted
    assert token[32:] != planted[32:]


async def test_the_right_name_with_a_wrong_secret_opens_nothing(sessions: Sessions, new_user: NewUser) -> None:
    _, token = await sessions.start(new_user())
    assert await sessions.load(token[:32] + secrets.token_urlsafe(33)) is None
    assert await sessions.load(token) is not None


async def test_the_store_never_holds_a_secret(sessions: Sessions, prepared: Stores, new_user: NewUser) -> None:
    session, token = await sessions.start(new_user())
    rotated = await sessions.rotate(session)
    key = f"session:{{{token[:16]}}}:{token[16:32]}"
    held = prepared.sessions.command("HGETALL", key)
    assert session.csrf_token.encode() in held
    assert token[32:].encode() not in held
    assert rotated[32:].encode() not in held


async def test_every_key_expires(sessions: Sessions, prepared: Stores, new_user: NewUser) -> None:
    user = new_user()
    session, token = await sessions.start(user)
    await session.set("a", "b")
    await session.wrote(Written(Position(0, 1, 1)))
    ended, _ = await sessions.start(user)
    await sessions.end(ended)
    await sessions.end_all(user)
    await sessions.load(token)
    keys = prepared.sessions.command("KEYS", f"*{token[:16]}*").decode().split("\r\n")[2::2]
    assert len(keys) == 3
    for key in keys:
        assert int(prepared.sessions.command("PTTL", key)[1:]) > 0, key


async def test_fields_written_side_by_side_are_all_kept(
    sessions: Sessions, elsewhere: Sessions, new_user: NewUser
) -> None:
    _, token = await sessions.start(new_user())
    for n in range(30):
        here, there = await loaded(sessions, token), await loaded(elsewhere, token)
        await asyncio.gather(here.set(f"a{n}", "1"), there.set(f"b{n}", "2"))
        fields = (await loaded(sessions, token)).fields
        assert {fields[f"a{n}"], fields[f"b{n}"]} == {"1", "2"}
        await asyncio.gather(here.remove(f"a{n}"), there.remove(f"b{n}"))
    assert (await loaded(sessions, token)).fields == {}


async def test_logout_is_not_undone_by_a_slower_request(
    sessions: Sessions, elsewhere: Sessions, new_user: NewUser
) -> None:
    for _ in range(30):
        session, token = await sessions.start(new_user())
        slow = await loaded(elsewhere, token)
        results = await asyncio.gather(sessions.end(session), slow.set("late", "1"), return_exceptions=True)
        assert results[1] is None or isinstance(results[1], SessionEnded)
        assert await elsewhere.load(token) is None
        with pytest.raises(SessionEnded):
            await slow.set("later", "1")
        with pytest.raises(SessionEnded):
            await slow.remove("late")
        with pytest.raises(SessionEnded):
            await elsewhere.rotate(slow)
        await slow.wrote(Written(Position(0, 1, 5)))
        assert await elsewhere.load(token) is None


async def test_after_rotation_the_old_secret_is_good_for_a_moment_only(
    sessions: Sessions, prepared: Stores, new_user: NewUser
) -> None:
    session, old = await sessions.start(new_user())
    new = await sessions.rotate(session)
    assert new != old
    assert (await loaded(sessions, old)).user_id == (await loaded(sessions, new)).user_id
    # The alias ends by the store's clock: move its end instead of waiting for it.
    key = f"session:{{{old[:16]}}}:{old[16:32]}"
    until = int(prepared.sessions.command("HGET", key, "old_until").split(b"\r\n")[1])
    now, micro = (int(part) for part in prepared.sessions.command("TIME").split(b"\r\n")[2::2])
    assert 8000 < until - (now * 1000 + micro // 1000) <= 10_000
    prepared.sessions.command("HSET", key, "old_until", str(now * 1000))
    assert await sessions.load(old) is None
    assert await sessions.load(new) is not None


async def test_requests_that_rotate_side_by_side_get_the_same_token(
    sessions: Sessions, elsewhere: Sessions, new_user: NewUser
) -> None:
    for _ in range(20):
        _, token = await sessions.start(new_user())
        here, there = await loaded(sessions, token), await loaded(elsewhere, token)
        first, second = await asyncio.gather(sessions.rotate(here), elsewhere.rotate(there))
        assert first == second != token
        await here.set("still", "works")
        assert (await loaded(elsewhere, second)).fields == {"still": "works"}


async def test_a_secret_two_rotations_old_opens_nothing(sessions: Sessions, new_user: NewUser) -> None:
    session, first = await sessions.start(new_user())
    second = await sessions.rotate(session)
    third = await sessions.rotate(session)
    assert await sessions.load(first) is None
    assert await sessions.load(second) is not None
    assert await sessions.load(third) is not None


async def test_logout_everywhere_ends_all_sessions_of_one_user(
    sessions: Sessions, elsewhere: Sessions, new_user: NewUser
) -> None:
    user, bystander = new_user(), new_user()
    tokens = [(await sessions.start(user))[1] for _ in range(5)]
    held = await loaded(elsewhere, tokens[0])
    _, others = await sessions.start(bystander)
    await sessions.end_all(user)
    _, fresh = await elsewhere.start(user)
    assert [await elsewhere.load(token) for token in tokens] == [None] * 5
    with pytest.raises(SessionEnded):
        await held.set("late", "1")
    assert await sessions.load(fresh) is not None
    assert await sessions.load(others) is not None


async def test_logins_and_logout_everywhere_at_once_leave_no_doubt(
    sessions: Sessions, elsewhere: Sessions, new_user: NewUser
) -> None:
    for _ in range(20):
        user = new_user()
        _, before = await sessions.start(user)
        started = await asyncio.gather(sessions.start(user), elsewhere.end_all(user), elsewhere.start(user))
        _, after = await sessions.start(user)
        assert await sessions.load(before) is None
        assert await elsewhere.load(after) is not None
        await sessions.end_all(user)
        assert await sessions.load(started[0][1]) is None


async def test_without_a_replica_a_crowd_that_logs_in_does_not_wait_one_by_one(
    sessions: Sessions, prepared: Stores, new_user: NewUser
) -> None:
    def waits() -> int:
        info = prepared.sessions.command("INFO", "commandstats").decode()
        return int((re.findall(r"cmdstat_wait:calls=(\d+)", info) or ["0"])[0])

    before = waits()
    await asyncio.gather(*(sessions.start(new_user()) for _ in range(200)))
    assert 0 < waits() - before <= 8


async def test_an_unused_session_ends(prepared: Stores, sessions: Sessions, new_user: NewUser) -> None:
    short = Sessions(sessions._store, idle=0.2, absolute=60)
    _, token = await short.start(new_user())

    async def gone() -> bool:
        return prepared.sessions.command("EXISTS", f"session:{{{token[:16]}}}:{token[16:32]}") == b":0\r\n"

    await eventually(gone)
    assert await short.load(token) is None


async def test_a_session_that_is_used_goes_on_until_its_absolute_end(
    prepared: Stores, sessions: Sessions, new_user: NewUser
) -> None:
    short = Sessions(sessions._store, idle=0.4, absolute=1.2)
    session, token = await short.start(new_user())
    loads = 0

    async def ended() -> bool:
        nonlocal loads
        loads += 1
        return await short.load(token) is None

    begin = asyncio.get_running_loop().time()
    await eventually(ended)
    # Used every 20 ms it outlives the idle time several times over, and ends all the same.
    assert asyncio.get_running_loop().time() - begin > 0.8
    assert loads > 10
    with pytest.raises(SessionEnded):
        await session.set("late", "1")


async def test_a_read_only_request_writes_nothing(prepared: Stores, sessions: Sessions, new_user: NewUser) -> None:
    _, token = await sessions.start(new_user())

    def offset() -> bytes:
        info = prepared.sessions.command("INFO", "persistence")
        return next(line for line in info.split(b"\r\n") if line.startswith(b"rdb_changes_since_last_save"))

    before = offset()
    for _ in range(20):
        await loaded(sessions, token)
    assert offset() == before


async def test_positions_only_grow_and_travel_between_clones(
    sessions: Sessions, elsewhere: Sessions, new_user: NewUser
) -> None:
    _, token = await sessions.start(new_user())
    here, there = await loaded(sessions, token), await loaded(elsewhere, token)
    assert here.position(SHARD) is None
    await here.wrote(Written(Position(0, 1, 500)))
    await there.wrote(Written(Position(0, 1, 499)))
    assert (await loaded(elsewhere, token)).position(SHARD) == Position(0, 1, 500)
    await there.wrote(Written(Position(0, 2, 3)))
    await here.wrote(Written(Position(0, 1, 2**40)))
    assert (await loaded(elsewhere, token)).position(SHARD) == Position(0, 2, 3)
    assert here.position(SHARD) == Position(0, 1, 2**40)


async def test_a_write_that_the_cache_has_not_heard_of_is_known_to_every_clone(
    sessions: Sessions, elsewhere: Sessions, prepared: Stores, new_user: NewUser
) -> None:
    session, token = await sessions.start(new_user())
    await session.wrote(Written(Position(0, 1, 500)))
    assert not session.distrusts_cache
    await session.wrote(Written(Position(0, 1, 500), renewed=False))
    assert session.distrusts_cache
    other = await loaded(elsewhere, token)
    assert other.distrusts_cache
    await other.wrote(Written(Position(0, 1, 600)))
    # What the cache has heard of since says nothing about the write from before.
    assert (await loaded(sessions, token)).distrusts_cache
    key = f"session:{{{token[:16]}}}:{token[16:32]}"
    until = int(prepared.sessions.command("HGET", key, "distrusts").split(b"\r\n")[1])
    assert VALUES_LIVE - 60 < until / 1000 - time() <= VALUES_LIVE
    prepared.sessions.command("HSET", key, "distrusts", str(int(time() * 1000)))
    assert not (await loaded(sessions, token)).distrusts_cache


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.text(min_size=1, max_size=16), st.text(max_size=200), max_size=5))
async def test_any_text_survives_in_a_field(sessions: Sessions, fields: dict[str, str], new_user: NewUser) -> None:
    session, token = await sessions.start(new_user())
    for name, value in fields.items():
        await session.set(name, value)
    assert (await loaded(sessions, token)).fields == fields == session.fields


NAMES = st.sampled_from(["secret", "user", "csrf", "f:", "p:0", "ended", "\0", "é", "🐈", "a\r\nb", " "])
CHANGES = st.lists(st.tuples(st.booleans(), NAMES, st.none() | st.text(max_size=40)), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
async def test_whatever_two_clones_change_the_session_is_what_a_dictionary_would_be(
    sessions: Sessions, elsewhere: Sessions, changes: list[tuple[bool, str, str | None]], new_user: NewUser
) -> None:
    user = new_user()
    here, token = await sessions.start(user)
    there = await loaded(elsewhere, token)
    expected: dict[str, str] = {}
    for first, name, value in changes:
        session = here if first else there
        if value is None:
            await session.remove(name)
            expected.pop(name, None)
        else:
            await session.set(name, value)
            expected[name] = value
    last = await loaded(sessions, token)
    assert (last.user_id, last.fields, last.csrf_token) == (user, expected, here.csrf_token)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("", "x", "is empty"),
        ("n" * 65, "x", "65 bytes, at most 64"),
        ("é" * 33, "x", "66 bytes, at most 64"),
        ("n", "v" * 4097, "4097 bytes, at most 4096"),
        ("n", "\ud800", "surrogate"),
        ("\udfff", "v", "surrogate"),
    ],
)
async def test_a_field_that_breaks_a_rule_is_refused(
    sessions: Sessions, new_user: NewUser, name: str, value: str, message: str
) -> None:
    session, token = await sessions.start(new_user())
    with pytest.raises(BadField, match=message):
        await session.set(name, value)
    assert (await loaded(sessions, token)).fields == {}


async def test_a_session_does_not_grow_without_end(sessions: Sessions, new_user: NewUser) -> None:
    session, _ = await sessions.start(new_user())
    for n in range(64):
        await session.set(str(n), "x")

    async def set_more() -> None:
        for n in range(16):
            await session.set(f"more {n}", "x")

    with pytest.raises(BadField, match="64 fields"):
        await set_more()
    await session.set("0", "an old field can still be changed")


async def test_the_csrf_token_is_the_sessions_own(sessions: Sessions, new_user: NewUser) -> None:
    mine, _ = await sessions.start(new_user())
    theirs, _ = await sessions.start(new_user())
    assert mine.csrf_matches(mine.csrf_token)
    for wrong in (None, "", theirs.csrf_token, mine.csrf_token[:-1], "é", "\ud800"):
        assert not mine.csrf_matches(wrong)


async def test_a_store_that_is_down_is_said_to_be_down_and_returns(
    sessions: Sessions, prepared: Stores, new_user: NewUser
) -> None:
    session, token = await sessions.start(new_user())
    prepared.sessions.kill()
    for attempt in (sessions.load(token), sessions.start(new_user()), session.set("a", "b"), sessions.end(session)):
        with pytest.raises(SessionsDown) as down:
            await attempt
        assert down.value.retry_after > 0
    assert await sessions.load("not a token") is None
    prepared.sessions.start()

    async def back() -> bool:
        try:
            return await sessions.load(token) is not None
        except SessionsDown:
            return False

    await eventually(back)


async def test_a_frozen_store_delays_nobody_longer_than_its_deadline(
    sessions: Sessions, prepared: Stores, new_user: NewUser
) -> None:
    _, token = await sessions.start(new_user())
    prepared.sessions.freeze()
    try:
        attempts = [asyncio.create_task(sessions.load(token)) for _ in range(30)]
        done = await asyncio.wait_for(asyncio.gather(*attempts, return_exceptions=True), 5)
        assert {type(each) for each in done} == {SessionsDown}
    finally:
        prepared.sessions.thaw()

    async def back() -> bool:
        try:
            return await sessions.load(token) is not None
        except SessionsDown:
            return False

    await eventually(back)

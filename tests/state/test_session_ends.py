"""Sessions end by logout, by rotation of their secret and by time, and nothing revives them."""

from __future__ import annotations

import asyncio

import pytest

from goldfleet.state.exceptions import SessionEnded
from goldfleet.state.position import Position, Written
from goldfleet.state.sessions import Sessions
from tests.state.conftest import NewUser
from tests.state.tokens import key_of, loaded
from tests.stores import Stores, eventually


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
    key = key_of(old)
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


async def test_an_unused_session_ends(prepared: Stores, sessions: Sessions, new_user: NewUser) -> None:
    short = Sessions(sessions._store, idle=0.2, absolute=60)
    _, token = await short.start(new_user())

    async def gone() -> bool:
        return prepared.sessions.command("EXISTS", key_of(token)) == b":0\r\n"

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

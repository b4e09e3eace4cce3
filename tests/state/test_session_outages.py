"""A store of sessions that is down or frozen is said to be down, soon, and returns by itself."""

from __future__ import annotations

import asyncio

import pytest

from goldfleet.state.exceptions import SessionsDown
from goldfleet.state.sessions import Sessions
from tests.state.conftest import NewUser
from tests.stores import Stores, eventually


async def opens(sessions: Sessions, token: str) -> bool:
    try:
        return await sessions.load(token) is not None
    except SessionsDown:
        return False


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
    await eventually(lambda: opens(sessions, token))


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
    await eventually(lambda: opens(sessions, token))

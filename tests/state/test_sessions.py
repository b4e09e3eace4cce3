"""What opens a session, and what the store has of it."""

from __future__ import annotations

import asyncio
import re
import secrets

import pytest

from goldfleet.state.position import Position, Written
from goldfleet.state.sessions import Sessions
from tests.state.conftest import NewUser
from tests.state.tokens import key_of, loaded
from tests.stores import Stores


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
    key = key_of(token)
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


async def test_without_a_replica_a_crowd_that_logs_in_does_not_wait_one_by_one(
    sessions: Sessions, prepared: Stores, new_user: NewUser
) -> None:
    def waits() -> int:
        info = prepared.sessions.command("INFO", "commandstats").decode()
        return int((re.findall(r"cmdstat_wait:calls=(\d+)", info) or ["0"])[0])

    before = waits()
    await asyncio.gather(*(sessions.start(new_user()) for _ in range(200)))
    assert 0 < waits() - before <= 8


async def test_a_read_only_request_writes_nothing(prepared: Stores, sessions: Sessions, new_user: NewUser) -> None:
    _, token = await sessions.start(new_user())

    def offset() -> bytes:
        info = prepared.sessions.command("INFO", "persistence")
        return next(line for line in info.split(b"\r\n") if line.startswith(b"rdb_changes_since_last_save"))

    before = offset()
    for _ in range(20):
        await loaded(sessions, token)
    assert offset() == before


async def test_the_csrf_token_is_the_sessions_own(sessions: Sessions, new_user: NewUser) -> None:
    mine, _ = await sessions.start(new_user())
    theirs, _ = await sessions.start(new_user())
    assert mine.csrf_matches(mine.csrf_token)
    for wrong in (None, "", theirs.csrf_token, mine.csrf_token[:-1], "é", "\ud800"):
        assert not mine.csrf_matches(wrong)

"""A session's fields: kept whoever writes them, as a dictionary would, within their limits."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldfleet.state.exceptions import BadField
from goldfleet.state.sessions import Sessions
from tests.state.conftest import NewUser
from tests.state.tokens import loaded

NAMES = st.sampled_from(["secret", "user", "csrf", "f:", "p:0", "ended", "\0", "é", "🐈", "a\r\nb", " "])
CHANGES = st.lists(st.tuples(st.booleans(), NAMES, st.none() | st.text(max_size=40)), max_size=12)


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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.dictionaries(st.text(min_size=1, max_size=16), st.text(max_size=200), max_size=5))
async def test_any_text_survives_in_a_field(sessions: Sessions, fields: dict[str, str], new_user: NewUser) -> None:
    session, token = await sessions.start(new_user())
    for name, value in fields.items():
        await session.set(name, value)
    assert (await loaded(sessions, token)).fields == fields == session.fields


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

"""A session remembers how far its writes are, and whether the cache has heard of them."""

from __future__ import annotations

from time import time

from goldfleet.state.entry import VALUES_LIVE
from goldfleet.state.position import Position, Written
from goldfleet.state.sessions import Sessions
from tests.state.conftest import NewUser
from tests.state.tokens import key_of, loaded
from tests.stores import Stores


class _Shard:
    index = 0


SHARD = _Shard()


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
    key = key_of(token)
    until = int(prepared.sessions.command("HGET", key, "distrusts").split(b"\r\n")[1])
    assert VALUES_LIVE - 60 < until / 1000 - time() <= VALUES_LIVE
    prepared.sessions.command("HSET", key, "distrusts", str(int(time() * 1000)))
    assert not (await loaded(sessions, token)).distrusts_cache

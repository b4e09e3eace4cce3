"""Following somebody on another shard, and what happens when it is cut in the middle."""

from __future__ import annotations

import pytest

from app import accounts, follows, outbox, profile
from app.outbox import Entry, Following
from app.problems import Problem
from app.visit import Visit
from goldfleet.state.state import State
from tests.app.conftest import PASSWORD, cheap_passwords, new_name


@pytest.fixture
async def pair(visit: Visit) -> tuple[int, int]:
    """Two users on two shards."""
    passwords = cheap_passwords()
    users: dict[int, int] = {}
    while len(users) < 2:
        user = await accounts.sign_up(visit, passwords, new_name(), PASSWORD)
        users[visit.database.of(user.id).index] = user.id
    passwords.close()
    return users[0], users[1]


async def followers(state: State, user_id: int) -> int:
    async with state.database.of(user_id).write() as transaction:
        count: int = await transaction.fetchval("SELECT followers FROM counts WHERE user_id = $1", user_id)
    return count


async def waiting(state: State, user_id: int) -> list[int]:
    async with state.database.of(user_id).write() as transaction:
        rows = await transaction.fetch("SELECT id FROM outbox WHERE user_id = $1 ORDER BY id", user_id)
    return [row["id"] for row in rows]


async def test_both_ends_are_written_and_nothing_is_left(visit: Visit, pair: tuple[int, int]) -> None:
    follower, followed = pair
    await follows.follow(visit, follower, followed)
    assert (await followers(visit.state, followed), await waiting(visit.state, follower)) == (1, [])
    await follows.unfollow(visit, follower, followed)
    assert (await followers(visit.state, followed), await waiting(visit.state, follower)) == (0, [])


async def put(visit: Visit, pair: tuple[int, int], *, active: bool) -> Entry:
    async with visit.database.of(pair[0]).write() as transaction:
        return await outbox.put(transaction, Following(*pair, active))


async def test_delivered_twice_counts_once(visit: Visit, pair: tuple[int, int]) -> None:
    entry = await put(visit, pair, active=True)
    for _ in range(2):
        await outbox.deliver(visit.state, entry)
    assert await followers(visit.state, pair[1]) == 1


async def test_an_older_entry_that_arrives_late_changes_nothing(visit: Visit, pair: tuple[int, int]) -> None:
    follow, unfollow = await put(visit, pair, active=True), await put(visit, pair, active=False)
    await outbox.deliver(visit.state, unfollow)
    await outbox.deliver(visit.state, follow)
    assert await followers(visit.state, pair[1]) == 0


async def test_what_was_left_behind_is_delivered_by_any_clone(
    visit: Visit, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    await profile.of(visit, pair[1])
    await put(visit, pair, active=True)
    monkeypatch.setattr(outbox, "SWEEP", 0.0)
    await outbox.sweep(visit.state, visit.database.of(pair[0]))
    assert (await followers(visit.state, pair[1]), await waiting(visit.state, pair[0])) == (1, [])


async def test_one_entry_that_cannot_be_delivered_does_not_hold_up_the_others(
    visit: Visit, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    follower, followed = pair
    nobody = visit.state.ids.new(0)
    bad = await put(visit, (follower, nobody), active=True)
    await put(visit, pair, active=True)
    monkeypatch.setattr(outbox, "SWEEP", 0.0)
    await outbox.sweep(visit.state, visit.database.of(follower))
    assert (await followers(visit.state, followed), await waiting(visit.state, follower)) == (1, [bad.id])
    async with visit.database.of(follower).write() as transaction:
        await transaction.execute("DELETE FROM outbox WHERE id = $1", bad.id)


async def test_nobody_follows_more_people_than_the_feed_can_ask_for(
    visit: Visit, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follows, "MOST", 0)
    with pytest.raises(Problem) as caught:
        await follows.follow(visit, *pair)
    assert caught.value.status_code == 409
    assert not await follows.is_following(visit, *pair)
    assert await waiting(visit.state, pair[0]) == []

"""Carries a change over to another user's shard: written with the change, applied at the other end, then removed.

A process may die at any point: what lies in the outbox is applied later, by any clone. Applying twice changes nothing,
and applying late changes nothing either: each end remembers the last entry it has seen (transactional outbox with an
idempotent receiver; Hohpe and Woolf, Enterprise Integration Patterns).
"""

from __future__ import annotations

import asyncio

import msgspec

from app.log import log
from goldfleet.state.database import Shard, Transaction
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.position import Written
from goldfleet.state.state import State

FOLLOWING = "following"
SWEEP = 5.0
"""Seconds between two looks for what was left behind; entries younger than this are still being delivered."""
BATCH = 100


class Following(msgspec.Struct, frozen=True):
    """One user follows another from now on, or no longer."""

    follower_id: int
    followee_id: int
    active: bool


class Entry(msgspec.Struct, frozen=True):
    """A change that waits for delivery; `id` grows with each change of the same user."""

    id: int
    change: Following


async def put(transaction: Transaction, change: Following) -> Entry:
    """Writes the entry in the transaction of the change itself."""
    sql = "INSERT INTO outbox (user_id, kind, body) VALUES ($1, $2, $3::text::jsonb) RETURNING id"
    body = msgspec.json.encode(change).decode()
    return Entry(await transaction.fetchval(sql, change.follower_id, FOLLOWING, body), change)


async def deliver(state: State, entry: Entry) -> Written:
    """Applies an entry at the other end, then removes it.

    Returns:
        The write at the other end, for who has to see it at once.

    Raises:
        DatabaseDown: one of the two shards cannot be written to; the entry waits.
    """
    change = entry.change
    async with state.database.of(change.followee_id).write() as transaction:
        await _apply(transaction, entry)
    async with state.database.of(change.follower_id).write() as source:
        await source.execute("DELETE FROM outbox WHERE id = $1", entry.id)
    return transaction.written


async def relay(state: State) -> None:
    """Delivers what was left behind, for as long as the process lives."""
    while True:
        await asyncio.sleep(SWEEP)
        for shard in state.database.shards:
            try:
                await sweep(state, shard)
            except DatabaseDown as down:
                log.warning("the outbox waits: %s", down)


async def sweep(state: State, shard: Shard) -> None:
    """Delivers what a shard's outbox has held for longer than `SWEEP`; what cannot be delivered stays.

    Raises:
        DatabaseDown: the shard does not answer.
    """
    sql = """SELECT id, body::text FROM outbox WHERE kind = $1 AND created_at < now() - make_interval(secs => $2)
             ORDER BY id LIMIT $3"""
    async with shard.write() as transaction:
        rows = await transaction.fetch(sql, FOLLOWING, SWEEP, BATCH)
    for row in rows:
        try:
            await deliver(state, Entry(row["id"], msgspec.json.decode(row["body"], type=Following)))
        except DatabaseDown as down:
            log.warning("outbox entry %d of shard %d waits: %s", row["id"], shard.index, down)
        except Exception:  # noqa: BLE001  the others must not wait for the one that fails
            log.exception("outbox entry %d of shard %d cannot be delivered", row["id"], shard.index)


async def _apply(transaction: Transaction, entry: Entry) -> None:
    """One at a time per user, because the row of counts is locked first."""
    change = entry.change
    pair = (change.followee_id, change.follower_id)
    await transaction.execute("SELECT FROM counts WHERE user_id = $1 FOR UPDATE", change.followee_id)
    sql = "SELECT active, version FROM followers WHERE user_id = $1 AND follower_id = $2"
    known = await transaction.fetchrow(sql, *pair)
    if known is not None and known["version"] >= entry.id:
        return
    sql = """INSERT INTO followers (user_id, follower_id, active, version) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id, follower_id) DO UPDATE SET active = excluded.active, version = excluded.version"""
    await transaction.execute(sql, *pair, change.active, entry.id)
    difference = int(change.active) - int(known is not None and known["active"])
    sql = "UPDATE counts SET followers = followers + $2 WHERE user_id = $1"
    await transaction.execute(sql, change.followee_id, difference)
    transaction.touch("followers", change.followee_id)
    transaction.touch("counts", change.followee_id)

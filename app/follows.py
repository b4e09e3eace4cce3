"""Following somebody: the follower's end of it, on the follower's shard."""

from __future__ import annotations

from http import HTTPStatus

from app import outbox
from app.log import log
from app.problems import Problem, invalid
from app.visit import Visit
from goldfleet.state.exceptions import DatabaseDown

MOST = 1000
"""People that one person may follow: the feed asks for the posts of each of them."""


async def follow(visit: Visit, follower_id: int, followee_id: int) -> None:
    """Makes one user follow another; doing so again changes nothing.

    Raises:
        Problem: 422, they are the same person; 409, the follower follows `MOST` already.
    """
    if follower_id == followee_id:
        raise invalid("name", "Nobody can follow themselves.")
    await _change(visit, follower_id, followee_id, active=True)


async def unfollow(visit: Visit, follower_id: int, followee_id: int) -> None:
    """Ends it; doing so again changes nothing."""
    await _change(visit, follower_id, followee_id, active=False)


async def is_following(visit: Visit, follower_id: int, followee_id: int) -> bool:
    """True if the first follows the second."""
    sql = "SELECT 1 FROM follows WHERE follower_id = $1 AND followee_id = $2"
    async with visit.read(visit.database.of(follower_id)) as reader:
        return await reader.fetchval(sql, follower_id, followee_id) is not None


_FOLLOW = "INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1"
_UNFOLLOW = "DELETE FROM follows WHERE follower_id = $1 AND followee_id = $2 RETURNING 1"
_COUNT = "UPDATE counts SET following = following + $2 WHERE user_id = $1 RETURNING following"


async def _change(visit: Visit, follower_id: int, followee_id: int, *, active: bool) -> None:
    async with visit.write(visit.database.of(follower_id)) as transaction:
        changed = await transaction.fetchval(_FOLLOW if active else _UNFOLLOW, follower_id, followee_id)
        if changed is None:
            return
        following = await transaction.fetchval(_COUNT, follower_id, 1 if active else -1)
        transaction.touch("follows", follower_id)
        transaction.touch("counts", follower_id)
        if following > MOST:
            raise Problem(HTTPStatus.CONFLICT, f"Nobody can follow more than {MOST} people.", field="name")
        entry = await outbox.put(transaction, outbox.Following(follower_id, followee_id, active))
    try:
        await visit.wrote(await outbox.deliver(visit.state, entry))
    except DatabaseDown as down:
        log.warning("outbox entry %d waits: %s", entry.id, down)

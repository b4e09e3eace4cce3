"""Writing a post."""

from __future__ import annotations

from app import text
from app.profile import Post
from app.visit import Visit
from goldfleet.state.ids import logical_shard_of


async def publish(visit: Visit, author_id: int, raw_text: str) -> Post:
    """Stores a post on its author's shard.

    Raises:
        Problem: 422, the text breaks a rule.
    """
    content = text.post(raw_text)
    post_id = visit.state.ids.new(logical_shard_of(author_id))
    sql = """INSERT INTO posts (id, author_id, text) SELECT $1, id, $3 FROM users WHERE id = $2
             RETURNING created_at, (SELECT name FROM users WHERE id = $2) AS author"""
    async with visit.write(visit.database.of(author_id)) as transaction:
        row = await transaction.fetchrow(sql, post_id, author_id, content)
        await transaction.execute("UPDATE counts SET posts = posts + 1 WHERE user_id = $1", author_id)
        transaction.touch("posts", author_id)
        transaction.touch("counts", author_id)
    return Post(str(post_id), row["author"], content, row["created_at"])

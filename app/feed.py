"""What one reads: the posts of the people one follows, and one's own, the latest first.

`Feed` is what pages ask. `SqlFeed` gathers the posts when they are read, from every shard that has one of their
authors; docs/decisions/ says why.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from itertools import islice
from typing import Protocol

import msgspec

from app.profile import Post
from app.visit import Visit
from goldfleet.state.database import Shard

POSTS = 20
"""Posts of one page."""


class Page(msgspec.Struct, frozen=True):
    """Up to `POSTS` posts; `before` asks for the next page, None after the last one."""

    posts: list[Post]
    before: str | None


class Feed(Protocol):
    """Where feeds come from."""

    async def page(self, visit: Visit, reader_id: int, before: int | None) -> Page:
        """The latest posts for a reader, of those with an id below `before` if it is given."""
        ...


class SqlFeed:
    """Asks the shards of all authors at once and merges what they say."""

    async def page(self, visit: Visit, reader_id: int, before: int | None) -> Page:
        authors = await _authors(visit, reader_id)
        told = await asyncio.gather(*(_posts(visit, shard, ids, before) for shard, ids in authors.items()))
        newest_first = heapq.merge(*told, key=lambda post: -int(post.id))
        posts = list(islice(newest_first, POSTS + 1))
        return Page(posts[:POSTS], posts[POSTS - 1].id if len(posts) > POSTS else None)


async def _authors(visit: Visit, reader_id: int) -> dict[Shard, list[int]]:
    async with visit.read(visit.database.of(reader_id)) as reader:
        rows = await reader.fetch("SELECT followee_id FROM follows WHERE follower_id = $1", reader_id)
    authors = defaultdict(list)
    for user_id in (reader_id, *(row["followee_id"] for row in rows)):
        authors[visit.database.of(user_id)].append(user_id)
    return authors


async def _posts(visit: Visit, shard: Shard, author_ids: list[int], before: int | None) -> list[Post]:
    sql = """SELECT latest.id, name, latest.text, latest.created_at
             FROM unnest($1::bigint[]) AS author (id) JOIN users USING (id) CROSS JOIN LATERAL (
                 SELECT posts.id, posts.text, posts.created_at FROM posts
                 WHERE author_id = author.id AND ($2::bigint IS NULL OR posts.id < $2)
                 ORDER BY posts.id DESC LIMIT $3) AS latest
             ORDER BY latest.id DESC LIMIT $3"""
    async with visit.read(shard) as reader:
        rows = await reader.fetch(sql, author_ids, before, POSTS + 1)
    return [Post(str(row["id"]), row["name"], row["text"], row["created_at"]) for row in rows]

"""A profile: one object made of a user, their counts and their latest posts, kept in the cache."""

from __future__ import annotations

from datetime import datetime

import msgspec

from app.problems import not_found
from app.visit import Visit
from goldfleet.state.cached import CachedObject, Read

TTL = 60
"""Seconds that the cache may keep a profile; a write by its user renews it at once."""
RECENT_POSTS = 20


class Post(msgspec.Struct, frozen=True):
    """A post as people see it; the id is text because programs in JavaScript cannot hold 64-bit numbers."""

    id: str
    author: str
    text: str
    created_at: datetime


class Profile(msgspec.Struct, frozen=True):
    """A person as others see them; `recent` has at most `RECENT_POSTS`, the latest first."""

    name: str
    joined_at: datetime
    posts: int
    followers: int
    following: int
    recent: list[Post]


async def of(visit: Visit, user_id: int) -> Profile:
    """The profile, from the cache or else assembled; the visit notes which, and how long it took.

    Raises:
        Problem: 404, there is no such user.
    """

    found = await PROFILES.get(visit.state, user_id, visit.seen)
    visit.facts.cache = "hit" if found.hit else "miss"
    visit.facts.cache_milliseconds = found.seconds * 1000
    for server in found.servers:
        visit.facts.read_from(server)
    if found.value is None:
        raise not_found("There is no such person.")
    return found.value


async def _assemble(read: Read, user_id: int) -> Profile | None:
    person = """SELECT name, created_at, posts, followers, following
                FROM users JOIN counts ON user_id = id WHERE id = $1"""
    recent = "SELECT id, text, created_at FROM posts WHERE author_id = $1 ORDER BY id DESC LIMIT $2"
    async with read(user_id) as reader:
        row = await reader.fetchrow(person, user_id)
        if row is None:
            return None
        posts = await reader.fetch(recent, user_id, RECENT_POSTS)
    return Profile(
        name=row["name"],
        joined_at=row["created_at"],
        posts=row["posts"],
        followers=row["followers"],
        following=row["following"],
        recent=[Post(str(post["id"]), row["name"], post["text"], post["created_at"]) for post in posts],
    )


PROFILES = CachedObject("profile", Profile, _assemble, made_of=("users", "counts", "posts"), ttl=TTL)

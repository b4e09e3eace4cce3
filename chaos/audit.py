"""The journal against the truth: every acknowledged post is in the database, every login and post is seen by HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from chaos.browser import as_json
from chaos.connection import Connection, NoAnswer
from chaos.fleet import Fleet
from chaos.journal import Journal, Post
from chaos.person import API
from chaos.stores import MAIN, databases

TIMEOUT = 15.0
TRIES = 10
PAUSE = 1.0
"""Seconds between tries: a replica that is behind, or a store that has only just come back, is not a loss."""
_POSTS = """SELECT posts.id, name AS author, text FROM posts JOIN users ON users.id = author_id
            WHERE posts.id = ANY($1::bigint[])"""


@dataclass(frozen=True)
class Audit:
    """What the journal said and what was found.

    Args:
        posts, logins: acknowledged.
        lost_posts: ids that no main has with the same author and text.
        unseen_posts: ids that their author is not shown by the site.
        lost_logins: sessions that the site does not know, or takes for somebody else's.
    """

    posts: int
    logins: int
    lost_posts: tuple[int, ...]
    unseen_posts: tuple[int, ...]
    lost_logins: int

    def lost(self) -> Mapping[str, int]:
        """Counts of what was acknowledged and is not there."""
        unseen = set(self.unseen_posts) - set(self.lost_posts)
        return {"posts": len(self.lost_posts), "posts unseen by their author": len(unseen), "logins": self.lost_logins}


def audit(journal: Journal, fleet: Fleet, url: str) -> Audit:
    """Looks everything up; nobody writes meanwhile."""
    return asyncio.run(_audit(journal, fleet, url))


async def _audit(journal: Journal, fleet: Fleet, url: str) -> Audit:
    lost_posts = journal.lost_posts(await stored(fleet, list(journal.posts)))
    site = urlsplit(url)
    connection = Connection(site.hostname or "", site.port or 80)
    cookies = {name: cookie for cookie, name in journal.logins.items()}  # a person's last login
    lost_logins, unseen = 0, set(journal.posts)
    try:
        for cookie, name in journal.logins.items():
            lost_logins += await _get(connection, cookie, "/session", "name") != name
        for name, cookie in cookies.items():
            own = {post.id for post in journal.posts.values() if post.author == name}
            unseen -= await _shown(connection, cookie, own)
    finally:
        connection.close()
    return Audit(len(journal.posts), len(journal.logins), lost_posts, tuple(sorted(unseen)), lost_logins)


async def _shown(connection: Connection, cookie: str, own: set[int]) -> set[int]:
    """Which of a person's own posts their feed shows, page by page, tried again while some are missing."""
    shown: set[int] = set()
    for attempt in range(TRIES):
        before: str | None = ""
        while before is not None and not own <= shown:
            page = await _ask(connection, cookie, f"/feed?before={before}" if before else "/feed")
            shown |= {int(post["id"]) for post in page.get("posts", [])}
            before = page.get("before")
        if own <= shown:
            break
        await asyncio.sleep(PAUSE * (attempt < TRIES - 1))
    return shown & own


async def _get(connection: Connection, cookie: str, path: str, key: str) -> Any:
    return (await _ask(connection, cookie, path)).get(key)


async def _ask(connection: Connection, cookie: str, path: str) -> dict[str, Any]:
    """A good JSON answer, tried a few times; empty if there is none."""
    for _ in range(TRIES):
        try:
            answer = await connection.request("GET", API + path, {"Cookie": f"session={cookie}"}, patience=TIMEOUT)
        except NoAnswer:
            await asyncio.sleep(PAUSE)
            continue
        if answer.status < 500:
            return as_json(answer) if answer.status == 200 else {}
        await asyncio.sleep(PAUSE)
    return {}


async def stored(fleet: Fleet, ids: list[int]) -> list[Post]:
    """The posts with these ids that the mains have."""
    found = []
    owners = fleet.control.passwords()["rds"]
    for main in databases(fleet, MAIN):
        owner = owners[main.id]
        access = {"user": owner["username"], "password": owner["password"], "database": owner["database"]}
        database = await asyncpg.connect(host=main.host, port=main.port, **access, timeout=TIMEOUT)
        try:
            found += [Post(**row) for row in await database.fetch(_POSTS, ids, timeout=4 * TIMEOUT)]
        finally:
            await database.close()
    return found

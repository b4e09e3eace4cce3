"""What the site has acknowledged: it must be true for ever. Kept outside the site, checked at the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Post:
    """An acknowledged post."""

    id: int
    author: str
    text: str


@dataclass
class Journal:
    """Everything that was answered with success.

    Args:
        people: names of who signed up.
        posts: by id.
        logins: cookie of each session that was given out and not ended -> name of whose it is.
    """

    people: set[str] = field(default_factory=set)
    posts: dict[int, Post] = field(default_factory=dict)
    logins: dict[str, str] = field(default_factory=dict)

    def lost_posts(self, stored: Iterable[Post]) -> tuple[int, ...]:
        """Ids of acknowledged posts that are not among the stored ones, letter for letter."""
        found = set(stored)
        return tuple(sorted(post.id for post in self.posts.values() if post not in found))

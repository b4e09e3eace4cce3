"""What a person must see of their own posts. Pure: what was acknowledged, what was shown, what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

PAGE = 20
"""Posts that one answer shows at most."""


@dataclass(frozen=True)
class Shown:
    """A post as an answer shows it."""

    id: int
    author: str
    text: str


@dataclass(frozen=True)
class Wrong:
    """What is wrong with an answer.

    Args:
        what: one sentence.
        missing: ids of acknowledged posts that should have been shown.
    """

    what: str
    missing: tuple[int, ...] = ()


@dataclass
class OwnPosts:
    """A person's posts, as far as their present session knows.

    Args:
        author: their name.
        sure: acknowledged in this session, by id: every answer to it must show them.
        earlier: acknowledged in an earlier session: they exist, and a replica that is behind may not know it yet.
        unknown: texts of posts whose answer was not a good one: they may exist or not.
    """

    author: str
    sure: dict[int, str] = field(default_factory=dict)
    earlier: dict[int, str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)

    def new_session(self) -> None:
        """From now on a session reads that has written nothing yet."""
        self.earlier |= self.sure
        self.sure = {}

    def wrong_with(self, shown: Sequence[Shown], *, stranger: bool = False) -> Wrong | None:
        """What is wrong with a page of this person's posts, the latest first; None if nothing is.

        Args:
            shown: the posts.
            stranger: the answer says that the session could not be looked up, so it is one for anybody: a replica that
                is a little behind may give it.
        """
        ids = [post.id for post in shown]
        if ids != sorted(set(ids), reverse=True):
            return Wrong("posts out of order or shown twice")
        for post in shown:
            if post.author != self.author:
                return Wrong(f"a post of {post.author} shown to {self.author}")
            known = self.sure.get(post.id) or self.earlier.get(post.id)
            if known != post.text and (known is not None or post.text not in self.unknown):
                return Wrong("a post that its author never wrote")
        oldest = ids[-1] if len(ids) == PAGE else 0
        sure = [] if stranger else self._latest()
        missing = tuple(id_ for id_ in sure if id_ > oldest and id_ not in set(ids))
        return Wrong("own posts missing", missing) if missing else None

    def _latest(self) -> list[int]:
        return sorted(self.sure)[-PAGE:]

"""A person who uses the site all the time, and knows what they must see."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeGuard

from chaos.browser import Browser, Reply
from chaos.journal import Journal, Post
from chaos.own_posts import OwnPosts, Shown

API = "/api/v1"
PASSWORD = "correct horse battery staple"  # noqa: S105  of people who live for a minute
SIGN_UP_TRIES = 5
SESSION, NO_SESSION_STORE = "x-goldfleet-session", "unavailable"
"""The header that says where an answer's session came from, and its word for a store that is down."""


class NotLetIn(Exception):
    """Nobody can sign up before the fault has even begun."""


class Person:
    """Signs up, then reads, posts, and now and then logs in anew.

    Args:
        browser: their requests.
        journal: what is acknowledged to all people.
        seed: which choices they make.
    """

    def __init__(self, browser: Browser, journal: Journal, seed: int) -> None:
        self._browser = browser
        self._journal = journal
        self._choices = random.Random(seed)  # noqa: S311  the same day for the same person
        self.name = ""
        self._own = OwnPosts("")
        self._written = 0
        self._thrown_out = False

    async def arrive(self) -> None:
        """Signs up, before anything is broken.

        Raises:
            NotLetIn: not within a few tries.
        """
        for _ in range(SIGN_UP_TRIES):
            await self.sign_up()
            if self.name:
                return
        raise NotLetIn("nobody can sign up, and nothing is broken yet")

    async def act(self) -> None:
        """One request, by chance; who was thrown out logs in again."""
        if self._thrown_out:
            return await self.log_in()
        (action,) = self._choices.choices([action for action, _ in _ACTIONS], [weight for _, weight in _ACTIONS])
        return await action(self)

    async def sign_up(self) -> None:
        """Somebody new takes this seat, if they are let in; what the one before did stays in the journal."""
        name = f"p{uuid.uuid4().hex[:20]}"
        before, self._browser.cookie = self._browser.cookie, ""
        reply = await self._browser.post(f"{API}/users", _account(name))
        if reply is not None and reply.status == HTTPStatus.CREATED:
            self.name, self._own, self._written = name, OwnPosts(name), 0
            self._journal.people.add(name)
            self._enter(reply)
            return
        self._browser.cookie = before
        if reply is not None:
            self._browser.wrong(reply, f"{reply.status} to a good sign-up")

    async def read_feed(self) -> None:
        reply = await self._browser.get(f"{API}/feed")
        if self._good(reply):
            self._compare(reply, reply.content.get("posts"))

    async def read_profile(self) -> None:
        reply = await self._browser.get(f"{API}/users/{self.name}")
        if not self._good(reply):
            return
        if reply.content.get("name") != self.name:
            self._browser.wrong(reply, "another person's profile")
        else:
            self._compare(reply, reply.content.get("recent"))

    async def read_session(self) -> None:
        reply = await self._browser.get(f"{API}/session")
        if self._good(reply) and reply.content.get("name") != self.name:
            self._browser.wrong(reply, "another person's session")

    async def read_page(self) -> None:
        reply = await self._browser.get("/")
        if self._good(reply) and self.name.encode() not in reply.answer.body:
            self._browser.wrong(reply, "a page for somebody else")

    async def write(self) -> None:
        self._written += 1
        text = f"{self.name} says {self._written}"
        self._own.unknown.add(text)
        reply = await self._browser.post(f"{API}/posts", {"text": text})
        if not self._good(reply, HTTPStatus.CREATED):
            return
        told = reply.content
        if told.get("text") != text or told.get("author") != self.name:
            self._browser.wrong(reply, "another post than the one that was sent")
            return
        post = Post(int(told["id"]), self.name, text)
        self._own.unknown.discard(text)
        self._own.sure[post.id] = text
        self._journal.posts[post.id] = post

    async def log_in(self) -> None:
        """On a second device: the first session goes on, as the journal says, but this person uses the new one."""
        before, self._browser.cookie = self._browser.cookie, ""
        reply = await self._browser.post(f"{API}/session", _account(self.name))
        if reply is not None and reply.status == HTTPStatus.OK:
            self._enter(reply)
            return
        self._browser.cookie = before
        if reply is not None:
            self._browser.wrong(reply, f"{reply.status} to a good log-in")

    def _enter(self, reply: Reply) -> None:
        cookie = reply.answer.headers.get("set-cookie", "").partition(";")[0].partition("=")[2]
        self._browser.cookie, self._browser.csrf = cookie, str(reply.content["csrf_token"])
        self._journal.logins[cookie] = self.name
        self._own.new_session()
        self._thrown_out = False

    def _good(self, reply: Reply | None, status: HTTPStatus = HTTPStatus.OK) -> TypeGuard[Reply]:
        """Whether it is an answer to go on with; a refusal of what is this person's right is a wrong one."""
        if reply is None or reply.status == status:
            return reply is not None
        self._thrown_out = reply.status == HTTPStatus.UNAUTHORIZED
        what = "login lost" if self._thrown_out else f"{reply.status} for no reason"
        self._browser.wrong(reply, what)
        return False

    def _compare(self, reply: Reply, posts: Any) -> None:
        if not isinstance(posts, list):
            self._browser.wrong(reply, "no posts in the answer")
            return
        shown = [Shown(int(post["id"]), post["author"], post["text"]) for post in posts]
        stranger = reply.answer.headers.get(SESSION) == NO_SESSION_STORE
        wrong = self._own.wrong_with(shown, stranger=stranger)
        if wrong:
            self._browser.wrong(reply, wrong.what, wrong.missing)


def _account(name: str) -> dict[str, str]:
    return {"name": name, "password": PASSWORD}


_ACTIONS: tuple[tuple[Callable[[Person], Awaitable[None]], float], ...] = (
    (Person.read_feed, 60),
    (Person.read_profile, 15),
    (Person.read_session, 10),
    (Person.read_page, 5),
    (Person.write, 9.7),
    (Person.log_in, 0.2),
    (Person.sign_up, 0.1),
)
"""Per cent of the requests. Few log in: a password costs a twentieth of a second of a processor."""

"""One request on its way through the stores: it sees its own session's writes, and notes who answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.requests import Request

from app.facts import NONE, Facts
from app.log import log
from goldfleet.state.asgi import Visitor
from goldfleet.state.cache import STRANGER, Seen
from goldfleet.state.database import MAIN, Database, Reader, Shard, Transaction
from goldfleet.state.exceptions import SessionsDown
from goldfleet.state.position import Written
from goldfleet.state.sessions import Session
from goldfleet.state.state import State

Found = TypeVar("Found")


class Visit:
    """What a handler works with.

    Args:
        state: the stores.
        facts: what is told about the answer.
        visitor: who asks; its session is None for a stranger.
    """

    def __init__(self, state: State, facts: Facts, visitor: Visitor) -> None:
        self.state = state
        self.facts = facts
        self._visitor = visitor
        self._written: list[Written] = []
        facts.session = _source(visitor)

    @classmethod
    def of(cls, request: Request) -> Visit:
        """The visit that this request is."""
        visit: Visit = request.state.visit
        return visit

    @property
    def session(self) -> Session | None:
        return self._visitor.session

    @property
    def is_stranger(self) -> bool:
        """True for who is certainly not logged in."""
        return self._visitor.session is None and self._visitor.down is None

    @property
    def database(self) -> Database:
        return self.state.database

    @property
    def seen(self) -> Seen:
        """Whose own writes an answer must show."""
        return self.session or STRANGER

    def require_login(self) -> int:
        """The id of who is logged in.

        Raises:
            LoginNeeded: nobody is.
            SessionsDown: nobody can tell now.
        """
        return self._visitor.require().user_id

    async def enter(self, user_id: int, name: str) -> None:
        """Logs in under a new session, which sees what this visit has written. Raises SessionsDown."""
        session = await self._visitor.log_in(user_id)
        await session.set("name", name)
        self.facts.session = _source(self._visitor)
        for written in self._written:
            await self.wrote(written)

    async def leave(self, *, everywhere: bool = False) -> None:
        """Ends this session, or all sessions of who is logged in. Raises as `require_login` does."""
        user_id = self.require_login()
        if everywhere:
            await self.state.sessions.end_all(user_id)
        await self._visitor.log_out()

    @asynccontextmanager
    async def read(self, shard: Shard) -> AsyncIterator[Reader]:
        """Reads from a replica that has what this session wrote, or else from the main."""
        after = self.session.position(shard) if self.session else None
        async with shard.read(after) as reader:
            try:
                yield reader
            finally:
                self.facts.read_from(reader.server)  # which may be another one than at first, if that one died

    @asynccontextmanager
    async def write(self, shard: Shard) -> AsyncIterator[Transaction]:
        """Writes to the main in one transaction; from then on this session's reads see it."""
        async with shard.write() as transaction:
            yield transaction
        await self.wrote(transaction.written)

    async def wrote(self, written: Written) -> None:
        """Lets this session, or the one that this visit starts, see a write.

        The write stands, even if the session store cannot be told.
        """
        if self.session is None:
            self._written.append(written)
            return
        try:
            await self.session.wrote(written)
        except SessionsDown:
            log.warning("the session could not be told of its write")

    async def certain(self, shard: Shard, ask: Callable[[Reader], Awaitable[Found | None]]) -> Found | None:
        """What `ask` finds on a replica; what that does not have is looked for on the main.

        For what must not depend on how far behind a replica is, and is nearly always there.

        Raises:
            DatabaseDown: no server that may answer does.
        """
        async with self.read(shard) as reader:
            found = await ask(reader)
        if found is None and reader.server != MAIN:
            async with shard.write() as transaction:
                found = await ask(transaction)
            self.facts.read_from(MAIN)
        return found


def _source(visitor: Visitor) -> str:
    """Where the session came from."""
    if visitor.session is not None:
        return "sessions store"
    return NONE if visitor.down is None else "unavailable"

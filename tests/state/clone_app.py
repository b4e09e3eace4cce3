"""A clone that is small: notes behind the state library, served as the example app is. Run by `tests.state.clones`.

Each answer is JSON: `text` of the note, `server` that was read (empty: none was), `clone` (the process).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn

from goldfleet.contract.deadlines import REQUEST
from goldfleet.contract.environment import Environment
from goldfleet.state.asgi import Receive, Scope, Send, SessionMiddleware, Visitor
from goldfleet.state.cached import CachedObject, CachedQuery, Read
from goldfleet.state.exceptions import Unavailable
from goldfleet.state.state import State

WRITE = "INSERT INTO notes VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET text = excluded.text"
SELECT = "SELECT text FROM notes WHERE id = $1"


class Note(msgspec.Struct):
    id: int
    text: str


class Answer(msgspec.Struct):
    text: str | None = None
    server: str = ""
    clone: int = os.getpid()


async def assemble(read: Read, note: int) -> Note | None:
    async with read(note) as reader:
        text = await reader.fetchval(SELECT, note)
    return None if text is None else Note(note, text)


NOTES = CachedObject("note", Note, assemble, made_of=("notes",))
ALL = CachedQuery("SELECT id, text FROM notes WHERE id = $1", Note, tables=("notes",))


async def login(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    await visitor.log_in(note)
    return Answer()


async def write(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    session = visitor.require()
    async with state.database.of(note).write() as transaction:
        await transaction.execute(WRITE, note, text)
        transaction.touch("notes", note)
    await session.wrote(transaction.written)
    return Answer(text)


async def read(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    shard = state.database.of(note)
    async with shard.read(visitor.require().position(shard)) as reader:
        return Answer(await reader.fetchval(SELECT, note), reader.server)


async def cached_object(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    found = await NOTES.get(state, note, seen=visitor.require())
    return Answer(found.value.text if found.value else None, ",".join(found.servers))


async def cached_query(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    found = await ALL.fetch(state, state.database.of(note), note, seen=visitor.require())
    return Answer(found.value[0].text if found.value else None, ",".join(found.servers))


async def stranger(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    async with state.database.of(note).read() as reader:
        return Answer(await reader.fetchval(SELECT, note), reader.server)


async def ready(state: State, visitor: Visitor, note: int, text: str) -> Answer:
    told = await state.ready()
    if set(told.values()) != {"ok"}:
        raise Unavailable("clone", str(told))
    return Answer(str(len(told)))


PAGES: dict[str, Callable[[State, Visitor, int, str], Awaitable[Answer]]] = {
    f"/{page.__name__}": page for page in (login, write, read, cached_object, cached_query, stranger, ready)
}


class Clone:
    """The ASGI application."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._state: State | None = None
        self._app = SessionMiddleware(self._page, lambda: self._open.sessions, environment.public_url)

    @property
    def _open(self) -> State:
        assert self._state is not None
        return self._state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        try:
            async with asyncio.timeout(REQUEST):
                await self._app(scope, receive, send)
        except TimeoutError:
            await _send(send, 504, b"")

    async def _live(self, receive: Receive, send: Send) -> None:
        async with self._running():
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self._state = await State.open(self._environment)
        try:
            yield
        finally:
            await self._state.close()

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = dict(parse_qsl(scope["query_string"].decode()))
        page = PAGES[scope["path"]]
        visitor = scope["state"]["visitor"]
        answer = await page(self._open, visitor, int(asked.get("note", 0)), asked.get("text", ""))
        await _send(send, 200, msgspec.json.encode(answer))


async def _send(send: Send, status: int, body: bytes) -> None:
    headers: list[Any] = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    environment = Environment.from_variables(os.environ)
    uvicorn.run(Clone(environment), host=environment.host, port=environment.port, log_level="warning", access_log=False)

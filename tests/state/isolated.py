"""A clone under load whose requests are cancelled anywhere; its last line says what it has seen.

Each request asks the sessions, the cache and the database, and each of them must answer with this request's own words.
Arguments: how many replies, how many requests side by side. The stores are in the environment.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import sys
from collections import Counter
from collections.abc import Coroutine, Generator
from time import monotonic
from typing import Any

import msgspec
import uvloop

from goldfleet.contract.environment import Environment
from goldfleet.errors import GoldfleetError
from goldfleet.state.cache import Key, Needs
from goldfleet.state.cached import CachedObject
from goldfleet.state.ids import random_logical_shard
from goldfleet.state.state import State
from tests.state.notes import Note, assemble

PEOPLE = 64
CUT = 8
"""One request of so many is cancelled."""
AWAITS = 8
"""Cancelled at one of so many awaits, or within `SOON` seconds."""
SOON = 0.006
WRITES = 64
"""One request of so many writes."""
FILLS = 16
"""One request of so many asks for what the cache cannot have, at once with others."""


class Report(msgspec.Struct):
    """What happened.

    Args:
        replies: of requests that came to their end.
        cancelled: requests that did not.
        mismatches: replies with words of another request.
        refused: by kind of error.
        left: tasks that still ran when all was over.
        seconds, processor: of the wall clock, and of this process.
    """

    replies: int = 0
    cancelled: int = 0
    mismatches: int = 0
    refused: dict[str, int] = {}
    left: int = 0
    seconds: float = 0
    processor: float = 0


NOTES = CachedObject("isolated", Note, assemble, made_of=("notes",), ttl=5)


class Person(msgspec.Struct):
    """Who asks."""

    id: int
    tag: str
    token: str


class Cut(Coroutine[Any, Any, None]):
    """A coroutine whose task is cancelled while it waits for the n-th time."""

    def __init__(self, inner: Coroutine[Any, Any, None], awaits: int) -> None:
        self._inner = inner
        self._left = awaits

    def send(self, value: Any) -> Any:
        waits_for = self._inner.send(value)
        self._left -= 1
        if self._left == 0:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
        return waits_for

    def throw(self, *error: Any) -> Any:
        return self._inner.throw(*error)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, None, None]:
        return self._inner.__await__()


class Load:
    """The clone's requests."""

    def __init__(self, state: State, people: list[Person]) -> None:
        self._state = state
        self._people = people
        self._refused: Counter[str] = Counter()
        self.report = Report()

    async def keep(self, replies: int) -> None:
        """One request after the other until there are so many replies."""
        while self.report.replies < replies:
            await self._one(cut=random.randrange(CUT) == 0)
        self.report.refused = dict(self._refused)

    async def _one(self, *, cut: bool) -> None:
        number = random.getrandbits(60)
        work: Coroutine[Any, Any, None] = self._request(self._people[number % PEOPLE], number)
        loop = asyncio.get_running_loop()
        if not cut:
            task = loop.create_task(work)
        elif number % 2:
            task = loop.create_task(Cut(work, 1 + random.randrange(AWAITS)))
        else:
            task = loop.create_task(work)
            loop.call_later(random.random() * SOON, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            self.report.cancelled += 1
        except GoldfleetError as error:
            self._refused[str(error)[:120]] += 1

    async def _request(self, person: Person, number: int) -> None:
        nonce, state = f"{number:x}", self._state
        session = await state.sessions.load(person.token)
        right = session is not None and (session.user_id, session.fields["tag"]) == (person.id, person.tag)
        assert session is not None
        found = await NOTES.get(state, person.id, seen=session)
        right = right and found.value == Note(person.id, person.tag)
        if number % FILLS == 0:
            shared = f"{number >> 8:x}"[:5]

            async def fill(needs: Needs) -> bytes:
                await asyncio.sleep(0)
                return shared.encode()

            right = right and (await state.cache.get(Key(shared, ttl=0.05), fill)).value == shared.encode()
        shard = state.database.of(person.id)
        async with shard.read(session.position(shard)) as reader:
            row = await reader.fetchrow("SELECT text, $2::text AS nonce FROM notes WHERE id = $1", person.id, nonce)
        right = right and (row["text"], row["nonce"]) == (person.tag, nonce)
        if number % WRITES == 1:
            async with shard.write() as transaction:
                mine = await transaction.fetchval(
                    "UPDATE notes SET text = $2 WHERE id = $1 RETURNING text", person.id, person.tag
                )
                transaction.touch("notes", person.id)
            await session.wrote(transaction.written)
            await session.set("last", nonce)
            right = right and (mine, session.fields["last"]) == (person.tag, nonce)
        self.report.replies += 1
        self.report.mismatches += not right


async def make(state: State) -> Person:
    """Somebody with a session and a note, both with a tag that nobody else has."""
    id_ = state.ids.new(random_logical_shard())
    tag = f"tag-{id_}"
    session, token = await state.sessions.start(id_)
    await session.set("tag", tag)
    async with state.database.of(id_).write() as transaction:
        await transaction.execute("INSERT INTO notes VALUES ($1, $2)", id_, tag)
        transaction.touch("notes", id_)
    await session.wrote(transaction.written)
    return Person(id_, tag, token)


async def main(replies: int, side_by_side: int) -> None:
    state = await State.open(Environment.from_variables(os.environ))
    load = Load(state, [await make(state) for _ in range(PEOPLE)])
    before, began = asyncio.all_tasks(), monotonic()
    await asyncio.gather(*(load.keep(replies) for _ in range(side_by_side)))
    load.report.seconds = monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    load.report.processor = used.ru_utime + used.ru_stime
    if behind := asyncio.all_tasks() - before:
        _, left = await asyncio.wait(behind, timeout=5)
        load.report.left = len(left)
    await state.close()
    sys.stdout.write(msgspec.json.encode(load.report).decode() + "\n")


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))

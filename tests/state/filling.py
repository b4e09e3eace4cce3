"""A clone that fills the cache slowly: lines of notes' ids come in, lines of what it has read go out.

Each note is asked for by a stranger; between reading the database and giving the value to the cache up to `MOMENT`
seconds pass, in which another clone writes.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import msgspec
import uvloop

from goldfleet.contract.environment import Environment
from goldfleet.contract.stores import DATABASE_POOL
from goldfleet.state.cached import CachedObject, Read
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.state import State

MOMENT = 0.03


T = TypeVar("T")
_few = asyncio.Semaphore(DATABASE_POOL)


class Note(msgspec.Struct):
    """A row of the table `notes`."""

    id: int
    text: str


async def assemble(read: Read, note_id: int) -> Note | None:
    async with _few, read(note_id) as reader:
        row = await reader.fetchrow("SELECT id, text FROM notes WHERE id = $1", note_id)
    await asyncio.sleep(random.random() * MOMENT)
    return Note(**row) if row else None


SLOW = CachedObject("slow", Note, assemble, made_of=("notes",), ttl=3600)


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks again while a busy machine's database does not answer in time."""
    while True:
        try:
            return await ask()
        except DatabaseDown:
            continue


async def read(state: State, note: int) -> str:
    await asyncio.sleep(random.random() * MOMENT)
    found = await patiently(partial(SLOW.get, state, note))
    return found.value.text if found.value else ""


async def main() -> None:
    state = await State.open(Environment.from_variables(os.environ))
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        texts = await asyncio.gather(*(read(state, note) for note in msgspec.json.decode(line, type=list[int])))
        sys.stdout.buffer.write(msgspec.json.encode(texts) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(main())

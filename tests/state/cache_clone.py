"""A clone of its own: a process that reads through the cache, told by lines on its standard input.

get ID [TOKEN]     a note's text, and whether the cache had it; with a session's token, as that session
naive ID           the same from a cache as one would write it at first
hot NAME TASKS MS WANTED    so many tasks ask until they get the value of load number WANTED or a later one
hang NAME          fills and never comes back
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from time import monotonic
from typing import Any

from goldfleet.contract.environment import Environment
from goldfleet.state.cache import Cache
from goldfleet.state.cached import CachedObject
from goldfleet.state.key import STRANGER, Key, Needs
from goldfleet.state.state import State
from goldfleet.state.store import Store
from tests.state.conftest import DATABASE
from tests.state.notes import Note, assemble
from tests.stores import Stores, eventually

HOT_TTL = 1.0
PATIENT = 2.0
"""Seconds: on a busy machine a clone must not take the cache for down."""


NOTES = CachedObject("note of a clone", Note, assemble, made_of=("notes",))


class Clone:
    """What the process does."""

    def __init__(self, state: State, store: Store) -> None:
        self._state = state
        self._store = store
        self._cache = Cache(store)

    async def get(self, note: str, token: str | None = None) -> list[Any]:
        seen = await self._state.sessions.load(token) if token else None
        found = await NOTES.get(self._state, int(note), seen or STRANGER)
        return [found.value.text if found.value else None, found.hit]

    async def naive(self, note: str) -> list[Any]:
        if stored := await self._store.command("GET", f"naive:{note}"):
            return [stored.decode(), True]
        shard = self._state.database.of(int(note))
        async with shard.read() as reader:
            text = await reader.fetchval("SELECT text FROM notes WHERE id = $1", int(note))
        await self._store.command("SET", f"naive:{note}", text, "EX", 60)
        return [text, False]

    async def hot(self, name: str, tasks: str, milliseconds: str, wanted: str) -> list[float]:
        """How long each task has waited for its longest answer, in seconds."""

        async def load(needs: Needs) -> bytes:
            number = await self._store.command("INCR", f"loads:{name}")
            await asyncio.sleep(int(milliseconds) / 1000)
            return b"%d" % number

        async def ask() -> float:
            longest = 0.0
            while True:
                began = monotonic()
                value = (await self._cache.get(Key(name, ttl=HOT_TTL), load)).value
                longest = max(longest, monotonic() - began)
                if value and int(value) >= int(wanted):
                    return longest
                await asyncio.sleep(0.01)

        return list(await asyncio.gather(*(ask() for _ in range(int(tasks)))))

    async def hang(self, name: str) -> None:
        async def never(needs: Needs) -> bytes:
            _say("filling")
            await asyncio.Event().wait()
            return b""

        await self._cache.get(Key(name), never)


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _serve() -> None:
    environment = Environment.from_variables(os.environ)
    state, store = await State.open(environment), Store(environment.cache, "cache", PATIENT)
    clone, loop = Clone(state, store), asyncio.get_running_loop()

    async def all_ready() -> bool:
        ready = await state.ready()
        return len(ready) > 3 and set(ready.values()) == {"ok"}

    await eventually(all_ready, 30)
    _say("ready")
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        what, *arguments = line.split()
        act: Callable[..., Coroutine[None, None, Any]] = getattr(clone, what)
        _say(await act(*arguments))


class CloneProcess:
    """The process, for the test that drives it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, *words: object) -> Any:
        """What it says to a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(" ".join(str(word) for word in words).encode() + b"\n")
        return await self.answer()

    async def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(await asyncio.wait_for(self.process.stdout.readline(), 60))

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def clone_processes(stores: Stores, count: int) -> AsyncIterator[list[CloneProcess]]:
    """So many, that are ready; killed at the end."""
    checkout = Path(__file__).parent.parent.parent
    variables = {**os.environ, **stores.environment(DATABASE).to_variables(), "PYTHONPATH": str(checkout)}
    command = (sys.executable, "-m", "tests.state.cache_clone")
    started = [
        await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=variables, cwd=checkout)
        for _ in range(count)
    ]
    made = [CloneProcess(process) for process in started]
    try:
        for each in made:
            assert await each.answer() == "ready"
        yield made
    finally:
        for each in made:
            await each.kill()


if __name__ == "__main__":
    asyncio.run(_serve())

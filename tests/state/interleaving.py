"""Runs several actors one step at a time, in an order that a seed decides: what the cache does under every order.

A step ends where an actor is about to speak to a store or to the database. The store is real, with its real scripts;
the database is a log of a few lines, so that each order can be had: a commit is in the log before the main shows it, a
replica is anywhere between what is asked of it and the end of the log.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar
from typing import Any

from goldfleet.state.cache import Cache
from goldfleet.state.exceptions import StoreDown
from goldfleet.state.key import STRANGER, Key, Needs, Part, Seen
from goldfleet.state.position import Position
from goldfleet.state.store import Script, Store
from goldfleet.state.versions import Versions

STEPS = 200
"""After so many the actors take turns, so that who waits for another one is not asked for ever."""

_actor: ContextVar[str] = ContextVar("actor")


class Schedule:
    """Who may take the next step."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.trace: list[str] = []
        self._gates: dict[str, asyncio.Future[None]] = {}
        self._moved = asyncio.Event()

    async def step(self, what: str) -> None:
        """To be awaited by an actor before each of its steps."""
        self._gates[_actor.get()] = gate = asyncio.get_running_loop().create_future()
        self._moved.set()
        await gate
        self.trace.append(f"{_actor.get()}: {what}")

    def chance(self, of: int) -> bool:
        """True once in so many times; never for 0."""
        return of > 0 and self.random.randrange(of) == 0

    async def run(self, actors: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        """Until all have ended; the first error of one passes through."""
        tasks = {self._start(f"{index} {actor.__name__}", actor) for index, actor in enumerate(actors)}
        running = set(tasks)
        steps = 0
        while running:
            await self._settled(running)
            running = {task for task in running if not task.done()}
            if self._gates:
                names = sorted(self._gates)
                name = names[steps % len(names)] if steps > STEPS else self.random.choice(names)
                self._gates.pop(name).set_result(None)
                self._moved.clear()
                steps += 1
        for task in tasks:
            task.result()

    def _start(self, name: str, actor: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        async def named() -> None:
            _actor.set(name)
            await actor()

        return asyncio.create_task(named())

    async def _settled(self, running: set[asyncio.Task[None]]) -> None:
        """Every actor has ended, or stands before its next step."""
        while len(self._gates) < sum(not task.done() for task in running):
            moved = asyncio.create_task(self._moved.wait())
            await asyncio.wait({moved, *(task for task in running if not task.done())}, return_when="FIRST_COMPLETED")
            moved.cancel()
            self._moved.clear()


class GatedStore:
    """A store whose every use is a step, and may be lost on its way."""

    def __init__(self, store: Store, schedule: Schedule, *, loses: int = 0) -> None:
        self._store = store
        self._schedule = schedule
        self._loses = loses

    async def command(self, *arguments: Any) -> Any:
        return await self._told(f"{arguments[0]}", lambda: self._store.command(*arguments))

    async def script(self, script: Script, keys: Sequence[str], *arguments: Any) -> Any:
        what = f"{arguments[1:2]} on {len(keys)} keys"
        return await self._told(what, lambda: self._store.script(script, keys, *arguments))

    async def _told(self, what: str, use: Callable[[], Awaitable[Any]]) -> Any:
        await self._schedule.step(what)
        lost = self._schedule.random.choice(["message", "reply"]) if self._schedule.chance(self._loses) else ""
        reply = None if lost == "message" else await use()
        if lost:
            self._schedule.trace.append(f"    {lost} lost")
            raise StoreDown("cache", f"the {lost} was lost")
        return reply


class World:
    """A shard, its log, and one cached value: the set of all writes that are in it."""

    def __init__(self, store: Store, schedule: Schedule, name: str) -> None:
        self.index = 0
        self.store = store
        self.schedule = schedule
        self.part = Part(self, name, 1)
        self.keys = [Key(f"{name}:{number}", (self.part,), 60) for number in range(2)]
        self._log: list[int] = []
        self._visible: set[int] = set()

    @property
    def truth(self) -> set[int]:
        return set(self._visible)

    async def position(self) -> Position:
        """As `Shard.position`: where the next record would go; what is there need not be visible yet."""
        await self.schedule.step("asks the main where it is")
        return self._end()

    async def commit(self) -> tuple[int, Position]:
        """A write's number, and where the log is after it."""
        await self.schedule.step("commit is in the log")
        write = len(self._log)
        self._log.append(write)
        await self.schedule.step("commit is visible")
        self._visible.add(write)
        await self.schedule.step("takes the position")
        return write, self._end()

    async def fill(self, needs: Needs) -> bytes:
        """From the main, or from a replica that has what is needed."""
        await self.schedule.step("reads")
        after = needs.after(self)
        least = 0 if after is None else after.lsn
        replica = set(self._log[: self.schedule.random.randint(least, len(self._log))])
        return b",".join(b"%d" % write for write in sorted(self.schedule.random.choice([replica, self._visible])))

    def _end(self) -> Position:
        return Position(0, 1, len(self._log))

    async def get(self, key: Key, seen: Seen = STRANGER, *, loses: int = 0) -> set[int]:
        """What a reader on a clone of their own gets."""
        cache = Cache(GatedStore(self.store, self.schedule, loses=loses))  # type: ignore[arg-type]  # as far as needed
        found = await cache.get(key, self.fill, seen)
        return {int(write) for write in (found.value or b"").split(b",") if write}

    def versions(self, *, loses: int = 0) -> Versions:
        return Versions(GatedStore(self.store, self.schedule, loses=loses))  # type: ignore[arg-type]  # as above

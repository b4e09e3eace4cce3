"""What a cache hit costs beside what people use: distinct keys, values of 256 bytes, in one process.

Every value is compared with what was kept. Processor time is this process's own. Rounds of all alternate; the median
round counts. The object is assembled of three parts, each with a version: it is known to be new, which the others'
values are not.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic, process_time

import aiocache
import cashews
import uvloop
from aiocache.serializers import NullSerializer
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table

from bench._store import store_of, url_of
from goldfleet.contract.environment import StoreAccess
from goldfleet.state.cache import Cache
from goldfleet.state.key import Key, Needs, Part
from goldfleet.state.position import Position
from goldfleet.state.store import Store

ROUNDS = 7
KEYS = 4800
TASKS = 32
VALUE = os.urandom(256)
PARTS = ("users", "counts", "posts")
LIMITS = {"aiocache": 3.0, "cashews": 2.0}
OURS = "a value"

Get = Callable[[int], Awaitable[bytes | None]]


class _Log:
    """Stands for a shard."""

    index = 0

    async def position(self) -> Position:
        return Position(0, 1, 100)


def main() -> None:
    """Prints microseconds per hit, and how many times ours the others take."""
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as folder, store_of(Path(folder)) as access:
        Console().print(table(uvloop.run(measure(access))))


async def measure(access: StoreAccess) -> Mapping[str, tuple[float, float]]:
    """Microseconds of processor time per hit, and hits per second, by what is asked: medians of the rounds."""
    told: dict[str, list[tuple[float, float]]] = {}
    async with AsyncExitStack() as stack:
        ways = {**await stack.enter_async_context(_ours(access)), **await stack.enter_async_context(_others(access))}
        for get in ways.values():
            await _round(get)
        for _ in range(ROUNDS):
            for name, get in ways.items():
                told.setdefault(name, []).append(await _round(get))
    return {name: _medians(rounds) for name, rounds in told.items()}


def table(told: Mapping[str, tuple[float, float]]) -> Table:
    """Each figure, and what it is in ours."""
    made = Table("a hit", "µs of processor", "in ours", "at least", "hits a second", title="cache hits, distinct keys")
    for name, (microseconds, a_second) in told.items():
        ratio = microseconds / told[OURS][0]
        made.add_row(name, f"{microseconds:.0f}", f"{ratio:.2f}", f"{LIMITS.get(name, '')}", f"{a_second:.0f}")
    return made


async def _round(get: Get) -> tuple[float, float]:
    async def one(first: int) -> None:
        for number in range(first, KEYS, TASKS):
            assert await get(number) == VALUE

    used, began = process_time(), monotonic()
    await asyncio.gather(*(one(first) for first in range(TASKS)))
    return (process_time() - used) / KEYS * 1e6, KEYS / (monotonic() - began)


def _medians(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    microseconds, a_second = zip(*rounds, strict=True)
    return statistics.median(microseconds), statistics.median(a_second)


@asynccontextmanager
async def _ours(access: StoreAccess) -> AsyncIterator[Mapping[str, Get]]:
    store = Store(access, "cache")
    cache, log = Cache(store), _Log()

    async def fill(_: Needs) -> bytes:
        return VALUE

    async def raw(number: int) -> bytes | None:
        value: bytes | None = await store.command("GET", f"raw:{number}")
        return value

    async def value(number: int) -> bytes | None:
        return (await cache.get(Key(f"value:{number}"), fill)).value

    async def object_(number: int) -> bytes | None:
        parts = tuple(Part(log, table, number) for table in PARTS)
        return (await cache.get(Key(f"object:{number}", parts), fill)).value

    for number in range(KEYS):
        await store.command("SET", f"raw:{number}", VALUE)
    yield {"the bare GET": raw, OURS: value, "an object of 3 parts": object_}
    await cache.close()
    await store.close()


@asynccontextmanager
async def _others(access: StoreAccess) -> AsyncIterator[Mapping[str, Get]]:
    by_aiocache = aiocache.RedisCache(serializer=NullSerializer(encoding=None))
    by_aiocache.client = Redis.from_url(url_of(access), max_connections=TASKS)  # it knows no users of its own
    by_cashews = cashews.Cache()
    by_cashews.setup(url_of(access), max_connections=TASKS)
    for number in range(KEYS):
        await by_aiocache.set(f"aiocache:{number}", VALUE)
        await by_cashews.set(f"cashews:{number}", VALUE)

    async def from_aiocache(number: int) -> bytes | None:
        value: bytes | None = await by_aiocache.get(f"aiocache:{number}")
        return value

    async def from_cashews(number: int) -> bytes | None:
        value: bytes | None = await by_cashews.get(f"cashews:{number}")
        return value

    yield {"aiocache": from_aiocache, "cashews": from_cashews}
    await by_aiocache.close()
    await by_cashews.close()

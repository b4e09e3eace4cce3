"""How long people wait when a hot key expires: 200 tasks on 4 processes ask for it all the time, a load takes 200 ms.

The key lives for 2 seconds, so 4 or 5 loads in 9 seconds are needed. Waiting is in multiples of the median hit of the
same library in the same run. Each library does it as its manual advises against stampedes.
"""

from __future__ import annotations

import asyncio
import functools
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic

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
from goldfleet.state.key import Key, Needs
from goldfleet.state.store import Store

PROCESSES, TASKS = 4, 50
TTL = 2
LOAD = 0.2
SECONDS = 9
PAUSE = 0.1
"""Seconds between two questions of one task."""

Load = Callable[[], Awaitable[bytes]]
Get = Callable[[], Awaitable[bytes]]


def main() -> None:
    """Prints loads per expiry, and waiting in hits."""
    made = Table("library", f"loads in {SECONDS} s", "a hit", "99 of 100", "longest", title="a hot key expires")
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as folder, store_of(Path(folder)) as access:
        for name in WAYS:
            loads, waits = measure(name, access)
            hit = statistics.median(waits)
            far = statistics.quantiles(waits, n=100)[98]
            times = (f"{each / hit:.0f} x, {each * 1000:.0f} ms" for each in (far, max(waits)))
            made.add_row(name, f"{loads}", f"{hit * 1000:.1f} ms", *times)
    Console().print(made)


def measure(name: str, access: StoreAccess) -> tuple[int, list[float]]:
    """Loads after the first ones, and how long each question took in seconds."""
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        told = pool.map(functools.partial(_clone, name, access), range(PROCESSES), chunksize=1)
    waits = [seconds for _, each in told for seconds in each]
    return max(loads for loads, _ in told) - 1, waits


def _clone(name: str, access: StoreAccess, _: int) -> tuple[int, list[float]]:
    return uvloop.run(_ask(name, access))


async def _ask(name: str, access: StoreAccess) -> tuple[int, list[float]]:
    counter = Redis.from_url(url_of(access))

    async def load() -> bytes:
        loaded = await counter.incr(f"loads:{name}")
        await asyncio.sleep(LOAD)
        return json.dumps(loaded).encode()

    async def task() -> list[float]:
        waits = []
        while monotonic() < end:
            began = monotonic()
            await get()
            waits.append(monotonic() - began)
            await asyncio.sleep(PAUSE)
        return waits

    async with WAYS[name](access, load) as get:
        await get()
        await counter.incr(f"ready:{name}")
        while int(await counter.get(f"ready:{name}") or 0) < PROCESSES:  # noqa: ASYNC110  the others are other processes
            await asyncio.sleep(0.01)
        end = monotonic() + SECONDS
        told = await asyncio.gather(*(task() for _ in range(TASKS)))
        loads = int(await counter.get(f"loads:{name}") or 0)
    await counter.aclose()
    return loads, [seconds for waits in told for seconds in waits]


@asynccontextmanager
async def _ours(access: StoreAccess, load: Load) -> AsyncIterator[Get]:
    store = Store(access, "cache")
    cache, key = Cache(store), Key("hot", ttl=TTL)

    async def fill(_: Needs) -> bytes:
        return await load()

    async def get() -> bytes:
        return (await cache.get(key, fill)).value or b""

    yield get
    await cache.close()
    await store.close()


@asynccontextmanager
async def _aiocache(access: StoreAccess, load: Load) -> AsyncIterator[Get]:
    serializer = NullSerializer(encoding=None)
    decorator = aiocache.cached_stampede(
        lease=TTL, ttl=TTL, key="aiocache", cache=aiocache.RedisCache, serializer=serializer
    )
    decorated: Get = decorator(load)
    decorator.cache.client = Redis.from_url(url_of(access), max_connections=TASKS)  # it knows no users of its own
    yield decorated
    await decorator.cache.close()


@asynccontextmanager
async def _cashews(access: StoreAccess, load: Load, *, early: bool) -> AsyncIterator[Get]:
    cache = cashews.Cache()
    cache.setup(url_of(access), max_connections=TASKS)
    if early:
        yield cache.early(ttl=2 * TTL, early_ttl=TTL, key="early")(load)
    else:
        yield cache(ttl=TTL, key="lock", lock=True)(load)
    await cache.close()


WAYS: Mapping[str, Callable[[StoreAccess, Load], AbstractAsyncContextManager[Get]]] = {
    "Goldfleet": _ours,
    "cashews, lock": functools.partial(_cashews, early=False),
    "cashews, early": functools.partial(_cashews, early=True),
    "aiocache, stampede": _aiocache,
}

"""What one GET of 256 bytes costs the process that asks, by client: 32 tasks, 1000 keys in random order, verified.

Processor time is user and system of this process, threads of the clients included. Rounds of all clients alternate; the
median round counts. valkey-py and redis-py have their parsers in C, and a connection for each task.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from glide import GlideClient, GlideClientConfiguration, NodeAddress, ServerCredentials
from redis.asyncio import Redis
from rich.console import Console
from rich.table import Table
from valkey.asyncio import Valkey

from goldfleet.contract.environment import StoreAccess
from goldfleet.state.store import Store
from tests.server import APP
from tests.valkey_server import ValkeyServer

ROUNDS = 7
TASKS = 32
GETS = 4000
KEYS = [f"key-{number:04}" for number in range(1000)]
Get = Callable[[str], Awaitable[object]]


def main() -> None:
    """Prints microseconds of processor for each client."""
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103  the store's account looks into it
        server = ValkeyServer(Path(folder) / "store", "noeviction")
        server.start()
        password = Path(folder) / "password"
        password.write_text(server.password)
        try:
            told = uvloop.run(measure(StoreAccess(server.endpoint, APP, str(password)), server.password))
        finally:
            server.stop()
    table = Table("client", "µs of processor", "in ours", "GET/s", title="one GET")
    least = told["Goldfleet's store"][0]
    for name, (processor, seconds) in told.items():
        table.add_row(name, f"{processor:.1f}", f"{processor / least:.2f}", f"{1e6 / seconds:.0f}")
    Console().print(table)


async def measure(access: StoreAccess, password: str) -> dict[str, tuple[float, float]]:
    """Microseconds of processor and of the wall clock per GET, by client."""
    host, port = access.primary.host, access.primary.port
    ours = Store(access, "bench")
    valkey = Valkey(host=host, port=port, username=APP, password=password)
    redis = Redis(host=host, port=port, username=APP, password=password)
    credentials = ServerCredentials(password, APP)
    glide = await GlideClient.create(GlideClientConfiguration([NodeAddress(host, port)], credentials=credentials))
    clients: dict[str, Get] = {
        "Goldfleet's store": lambda key: ours.command("GET", key),
        "valkey-py": valkey.get,
        "redis-py": redis.get,
        "valkey-glide": glide.get,
    }
    for key in KEYS:
        await ours.command("SET", key, key * 32)
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in clients}
    for number in range(ROUNDS + 1):
        for name, get in clients.items():
            figures = await _round(get)
            if number:  # the first one opens the connections
                rounds[name].append(figures)
    await ours.close()
    await valkey.aclose()
    await redis.aclose()
    await glide.close()
    return {
        name: (statistics.median(each[0] for each in figures), statistics.median(each[1] for each in figures))
        for name, figures in rounds.items()
    }


async def _round(get: Get) -> tuple[float, float]:
    keys = iter(random.choices(KEYS, k=GETS))  # noqa: S311  not a secret

    async def ask() -> None:
        for key in keys:
            assert await get(key) == (key * 32).encode()

    processor, began = time.process_time(), time.monotonic()
    await asyncio.gather(*(ask() for _ in range(TASKS)))
    return (time.process_time() - processor) / GETS * 1e6, (time.monotonic() - began) / GETS * 1e6

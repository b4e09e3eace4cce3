"""What a read by primary key costs on our pool, beside asyncpg's own pool: same replica, same driver, same rows.

Eight readers at a time, any row of ten thousand, on one event loop (uvloop, as the clones have). Every row is compared.
Rounds of all ways alternate; the median round counts. Processor time is this process's, all threads. Beside them: one
connection without any pool, which is as little as the driver can take, and asyncpg's pool with the transaction that
keeps a read from writing, which ours leaves to the replica.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from goldfleet.state.connections import settings
from goldfleet.state.database import Database, Shard
from goldfleet.state.migrate import ensure_role, migrate
from tests.server import APP
from tests.stores import Stores, eventually

ROUNDS, READS, ROWS, READERS = 7, 5000, 10_000, 8
LIMIT = 1.5
DATABASE = "bench"
SELECT = "SELECT id, text FROM notes WHERE id = $1"
TABLES = """CREATE TABLE notes (id bigint PRIMARY KEY, text text NOT NULL);
INSERT INTO notes SELECT n, 'note ' || n FROM generate_series(1, 10000) AS n;"""
OURS, PEER = "ours, on a replica", "asyncpg's pool, on a replica"

Read = Callable[[int], Awaitable[asyncpg.Record]]


@dataclass(frozen=True)
class Cost:
    """Of one read: microseconds of processor here, and reads per second."""

    microseconds: float
    rate: float


def main() -> None:
    """Prints each way, and how many times ours it costs."""
    with tempfile.TemporaryDirectory(prefix="goldfleet-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103  the database's account looks into it
        stores = Stores(Path(folder))
        try:
            Console().print(table(uvloop.run(measured(stores, Path(folder)))))
        finally:
            stores.stop()


async def measured(stores: Stores, folder: Path) -> Mapping[str, Cost]:
    """The median of the rounds, by way."""
    migrations = folder / "migrations"
    migrations.mkdir()
    (migrations / "0001_notes.sql").write_text(TABLES)
    stores.make_database(DATABASE)
    await migrate(stores.owner(DATABASE), migrations)
    await ensure_role(stores.owner(DATABASE), APP, Path(stores.app_password_file))
    rounds: dict[str, list[Cost]] = {}
    async with ways(stores) as reads:
        for read in reads.values():
            await cost(read)
        for _ in range(ROUNDS):
            for name, read in reads.items():
                rounds.setdefault(name, []).append(await cost(read))
    return {
        name: Cost(statistics.median(c.microseconds for c in costs), statistics.median(c.rate for c in costs))
        for name, costs in rounds.items()
    }


@asynccontextmanager
async def ways(stores: Stores) -> AsyncIterator[Mapping[str, Read]]:
    """Each way to read a row."""
    access = stores.shard(DATABASE)
    options = settings(access, stores.replica.endpoint)
    async with AsyncExitStack() as stack:
        database = await Database.open([access])
        stack.push_async_callback(database.close)
        pool = await stack.enter_async_context(asyncpg.create_pool(min_size=READERS, max_size=READERS, **options))
        alone = await asyncpg.connect(**options)
        stack.push_async_callback(alone.close)
        shard, turn = database.shards[0], asyncio.Lock()
        await eventually(lambda: on_replica(shard))

        async def ours(row: int) -> asyncpg.Record:
            async with shard.read() as reader:
                return await reader.fetchrow(SELECT, row)

        async def peer(row: int) -> asyncpg.Record:
            async with pool.acquire() as connection:
                return await connection.fetchrow(SELECT, row)

        async def peer_in_transaction(row: int) -> asyncpg.Record:
            async with pool.acquire() as connection, connection.transaction(readonly=True):
                return await connection.fetchrow(SELECT, row)

        async def one_connection(row: int) -> asyncpg.Record:
            async with turn:
                return await alone.fetchrow(SELECT, row)

        yield {
            "one connection, no pool": one_connection,
            OURS: ours,
            PEER: peer,
            "asyncpg's pool, BEGIN READ ONLY": peer_in_transaction,
        }


async def on_replica(shard: Shard) -> bool:
    async with shard.read() as reader:
        return reader.server != "main"


async def cost(read: Read) -> Cost:
    """Of `READS` reads by `READERS` tasks."""
    rows = iter([random.randint(1, ROWS) for _ in range(READS)])  # noqa: S311  any row

    async def reader() -> None:
        for row in rows:
            found = await read(row)
            assert (found["id"], found["text"]) == (row, f"note {row}")

    began, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*(reader() for _ in range(READERS)))
    return Cost((time.process_time() - used) / READS * 1e6, READS / (time.perf_counter() - began))


def table(costs: Mapping[str, Cost]) -> Table:
    """Each figure, and what it is in ours."""
    made = Table("a read by primary key", "µs of processor", "in ours", "at least", "reads/s", "ours is faster by")
    ours = costs[OURS]
    for name, each in costs.items():
        limit = f"{LIMIT:.1f}" if name == PEER else ""
        ratios = (
            f"{each.microseconds / ours.microseconds:.2f}",
            limit,
            f"{each.rate:.0f}",
            f"{ours.rate / each.rate:.2f}",
        )
        made.add_row(name, f"{each.microseconds:.1f}", *ratios)
    return made

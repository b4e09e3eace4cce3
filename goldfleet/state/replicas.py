"""The read replicas of one shard: which there are, how far each has got, and which may answer a read.

A watcher per replica asks for its position in the background, on a connection of its own; choosing one is then a
comparison of integers. The position is always older than the snapshot of the read that follows, so a replica is never
believed to have more than it has. Beside them one watcher notes where the main was when: that tells the lag.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections import deque
from pathlib import Path
from time import monotonic

import asyncpg

from goldfleet.contract.environment import ShardAccess
from goldfleet.contract.stores import Endpoint
from goldfleet.state.connections import Connection, Pool, server_errors, settings
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.position import Position
from goldfleet.state.tasks import end

LAG_LIMIT = 2.0
"""Seconds that a replica may be behind; one that is further behind answers nothing until it has caught up."""
POLL = 0.25
"""Seconds between two looks at a replica that nobody waits for, at the main, and at the list of replicas."""
WANTED_POLL = 0.02
"""Seconds between two looks at a replica that somebody would use if it had got further."""
RETURN = 1.0
"""Seconds between two tries to reach a replica that does not answer."""

_REPLICA_POSITION = """SELECT pg_last_wal_replay_lsn() AS lsn, timeline_id AS timeline,
                              pg_is_in_recovery() AS replica FROM pg_control_checkpoint()"""
_MAIN_POSITION = """SELECT pg_current_wal_flush_lsn() AS lsn,
                           ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int AS timeline"""

Reached = tuple[int, int]
"""Timeline and LSN."""


class MainHistory:
    """Where the main was when, for as long as matters."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Reached]] = deque(maxlen=round(4 * LAG_LIMIT / POLL))

    def note(self, now: float, reached: Reached) -> None:
        """The main had got this far at this moment."""
        if not self._seen or reached > self._seen[-1][1]:
            self._seen.append((now, reached))

    def lag(self, now: float, reached: Reached) -> float:
        """Seconds since the main was first seen further than `reached`; 0 if it never was."""
        return next((now - seen for seen, main in self._seen if main > reached), 0.0)


class Replica:
    """One replica: its connections and how far it is known to have replayed; `reached` is None while it is out."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.server = str(pool.server)
        self.reached: Reached | None = None
        self.wanted = asyncio.Event()

    def leave(self) -> None:
        """Out of rotation, until its watcher has heard from it again."""
        self.reached = None


class Replicas:
    """The replicas of a shard. `run` keeps them up to date, `candidates` says who may answer.

    Args:
        shard: index of the shard.
        access: its main, and the file that lists its replicas.
    """

    def __init__(self, shard: int, access: ShardAccess) -> None:
        self._shard = shard
        self._access = access
        self._main = MainHistory()
        self._replicas: dict[Endpoint, Replica] = {}
        self._watchers: dict[Endpoint, asyncio.Task[None]] = {}
        self._turn = itertools.count()

    @property
    def all(self) -> list[Replica]:
        return list(self._replicas.values())

    def candidates(self, after: Position | None) -> list[Replica]:
        """Replicas in rotation that have replayed `after`, each first in its turn."""
        ready = []
        for replica in self._replicas.values():
            if replica.reached is None:
                continue
            if after is None or replica.reached >= after.reached:
                ready.append(replica)
            else:
                replica.wanted.set()
        start = next(self._turn) % len(ready) if ready else 0
        return ready[start:] + ready[:start]

    async def run(self) -> None:
        """Follows the list of replicas and the main until cancelled; starts and stops the watchers."""
        try:
            async with contextlib.AsyncExitStack() as closing:
                main = closing.enter_context(contextlib.closing(_Lookout(self._access, self._access.main)))
                while True:
                    await self._follow_list()
                    with contextlib.suppress(DatabaseDown):
                        row = await main.ask(_MAIN_POSITION)
                        self._main.note(monotonic(), (row["timeline"], row["lsn"]))
                    await asyncio.sleep(POLL)
        finally:
            await self._drop(list(self._replicas))

    async def _follow_list(self) -> None:
        wanted = read_list(Path(self._access.replicas_file))
        if wanted is None:
            return
        await self._drop([server for server in self._replicas if server not in wanted])
        for server in wanted:
            if server not in self._replicas:
                replica = Replica(await Pool.open(self._access, server))
                self._replicas[server] = replica
                self._watchers[server] = asyncio.create_task(self._watch(replica))

    async def _drop(self, servers: list[Endpoint]) -> None:
        for server in servers:
            await end([self._watchers.pop(server)])
            self._replicas.pop(server).pool.close()

    async def _watch(self, replica: Replica) -> None:
        with contextlib.closing(_Lookout(self._access, replica.pool.server)) as lookout:
            while True:
                try:
                    row = await lookout.ask(_REPLICA_POSITION)
                except DatabaseDown:
                    replica.leave()
                    await asyncio.sleep(RETURN)
                    continue
                replica.reached = self._judged(row)
                await self._pause(replica)

    def _judged(self, row: asyncpg.Record) -> Reached | None:
        """How far a replica has got; None if it is too far behind, or no replica any more."""
        reached = (row["timeline"], row["lsn"])
        if not row["replica"] or self._main.lag(monotonic(), reached) > LAG_LIMIT:
            return None
        return reached

    async def _pause(self, replica: Replica) -> None:
        replica.wanted.clear()
        await asyncio.sleep(WANTED_POLL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL - WANTED_POLL):
                await replica.wanted.wait()


class _Lookout:
    """A connection of its own to a server, opened again whenever it broke."""

    def __init__(self, access: ShardAccess, server: Endpoint) -> None:
        self._settings = settings(access, server) | {"command_timeout": 1.0}
        self._server = str(server)
        self._connection: Connection | None = None

    async def ask(self, sql: str) -> asyncpg.Record:
        """One row. Raises DatabaseDown."""
        try:
            with server_errors(self._server):
                if self._connection is None:
                    self._connection = await asyncpg.connect(**self._settings)
                return await self._connection.fetchrow(sql)
        except DatabaseDown:
            self.close()
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


def read_list(file: Path) -> list[Endpoint] | None:
    """The replicas that the file lists, a JSON list of `host:port`; None if it cannot be read now."""
    try:
        servers = json.loads(file.read_text(encoding="utf-8"))
        split = [server.rpartition(":") for server in servers]
        return [Endpoint(host.strip("[]"), int(port)) for host, _, port in split]
    except (OSError, ValueError, AttributeError, TypeError):
        return None

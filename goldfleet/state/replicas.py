"""The servers of one shard: which there are, which of them answer, and how far each replica has got.

A watcher per replica asks for its position in the background, on a connection of its own; choosing one is then a
comparison of integers. The position is always older than the snapshot of the read that follows, so a replica is never
believed to have more than it has. Beside them one watcher notes where the main was when: that tells the lag.

A server whose watcher gets no answer twice in a row is ejected: nobody waits for it until its watcher hears from it
again. Statements of requests eject nobody, because a slow statement is no sick server.
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
from goldfleet.state.connections import Connection, server_errors, settings
from goldfleet.state.exceptions import DatabaseDown
from goldfleet.state.pool import Pool
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

ANSWER = 1.0
"""Seconds in which a watcher expects its answer."""

# The timeline of the last restart point is too low for minutes after a promotion, the one that is received may be too
# high for a moment; `Position.replayed_by` is right with both.
_REPLICA_POSITION = """SELECT pg_last_wal_replay_lsn() AS lsn, pg_is_in_recovery() AS replica,
                              greatest(timeline_id, (SELECT received_tli FROM pg_stat_wal_receiver)) AS timeline
                       FROM pg_control_checkpoint()"""
_MAIN_POSITION = """SELECT pg_is_in_recovery() AS standby,
    CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END AS lsn,
    CASE WHEN NOT pg_is_in_recovery()
         THEN ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int END AS timeline"""

Reached = tuple[int, int]
"""Timeline and LSN."""


class MainHistory:
    """Where the main was when, for as long as matters."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Reached]] = deque(maxlen=round(4 * LAG_LIMIT / POLL))
        self._began: Reached = (0, 0)

    def note(self, now: float, reached: Reached) -> None:
        """The main had got this far at this moment."""
        if reached[0] > self._began[0]:
            self._began = reached
        if not self._seen or reached > self._seen[-1][1]:
            self._seen.append((now, reached))

    def surviving(self, after: Position) -> Position:
        """What there is left to see of a position: after a promotion nothing beyond the place where it was.

        That place is at or before where the main was first seen on its new timeline. A replica on that timeline that
        has got there has all that is left, though the log may be far from where it was before what was lost.
        """
        timeline, lsn = self._began
        return after if after.timeline >= timeline else Position(after.shard, timeline, min(after.lsn, lsn))

    @property
    def timeline(self) -> int:
        """The latest; 0 before the first note."""
        return self._seen[-1][1][0] if self._seen else 0

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

    def eject(self, why: DatabaseDown) -> None:
        """Out of rotation, and what waits for its answer is told that there is none: another server may be asked."""
        self.leave()
        self.pool.cut()
        self.pool.eject(why)

    def answers(self, reached: Reached | None) -> None:
        """In rotation if `reached` is known."""
        self.pool.readmit()
        self.reached = reached


class Replicas:
    """The replicas of a shard. `run` keeps them and the main up to date, `candidates` says who may answer.

    Args:
        access: the shard's main, and the file that lists its replicas.
        main: connections to the main, which is ejected and readmitted too.
    """

    def __init__(self, access: ShardAccess, main: Pool) -> None:
        self._access = access
        self._main = main
        self._history = MainHistory()
        self._replicas: dict[Endpoint, Replica] = {}
        self._watchers: dict[Endpoint, asyncio.Task[None]] = {}
        self._turn = itertools.count()

    @property
    def all(self) -> list[Replica]:
        return list(self._replicas.values())

    def candidates(self, after: Position | None) -> list[Replica]:
        """Replicas in rotation that have replayed `after`: each first in its turn, busy ones last."""
        ready = []
        enough = [after, self._history.surviving(after)] if after else []
        for replica in self._replicas.values():
            reached = replica.reached
            if reached is None:
                continue
            if after is None or any(position.replayed_by(reached) for position in enough):
                ready.append(replica)
            else:
                replica.wanted.set()
        start = next(self._turn) % len(ready) if ready else 0
        return sorted(ready[start:] + ready[:start], key=_is_busy)

    async def soon(self, after: Position | None) -> list[Replica]:
        """The same as `candidates`, which wakes the watchers; waits for one look of theirs while there is none."""
        end = monotonic() + POLL
        while not (ready := self.candidates(after)):
            if monotonic() > end or not any(replica.reached for replica in self._replicas.values()):
                break
            await asyncio.sleep(WANTED_POLL)
        return ready

    async def run(self) -> None:
        """Follows the list of replicas and watches all servers until cancelled."""
        main = asyncio.create_task(self._watch_main())
        try:
            while True:
                await self._follow_list()
                for pool in (self._main, *(replica.pool for replica in self._replicas.values())):
                    pool.prune()
                await asyncio.sleep(POLL)
        finally:
            await end([main])
            await self._drop(list(self._replicas))

    async def _follow_list(self) -> None:
        wanted = read_list(Path(self._access.replicas_file))
        if wanted is None:
            return
        await self._drop([server for server in self._replicas if server not in wanted])
        for server in wanted:
            if server not in self._replicas:
                replica = Replica(Pool(self._access, server))
                self._replicas[server] = replica
                self._watchers[server] = asyncio.create_task(self._watch(replica))

    async def _drop(self, servers: list[Endpoint]) -> None:
        for server in servers:
            await end([self._watchers.pop(server)])
            await self._replicas.pop(server).pool.close()

    async def _watch_main(self) -> None:
        with contextlib.closing(_Lookout(self._access, self._main.server)) as lookout:
            while True:
                try:
                    self._note(await lookout.ask(_MAIN_POSITION))
                except DatabaseDown as down:
                    self._main.eject(down)
                await asyncio.sleep(POLL)

    def _note(self, row: asyncpg.Record) -> None:
        """What the main says of itself. Raises DatabaseDown."""
        if row["standby"]:
            raise DatabaseDown(self._main.name, "is a standby now")
        if 0 < self._history.timeline < row["timeline"]:
            self._main.renew()  # after a promotion, connections from before it may lead to what was the main
        self._history.note(monotonic(), (row["timeline"], row["lsn"]))
        self._main.readmit()

    async def _watch(self, replica: Replica) -> None:
        with contextlib.closing(_Lookout(self._access, replica.pool.server)) as lookout:
            while True:
                try:
                    row = await lookout.ask(_REPLICA_POSITION)
                except DatabaseDown as down:
                    replica.eject(down)
                    await asyncio.sleep(RETURN)
                    continue
                replica.answers(self._judged(row))
                await self._pause(replica)

    def _judged(self, row: asyncpg.Record) -> Reached | None:
        """How far a replica has got; None if it is too far behind, or no replica any more."""
        reached = (row["timeline"], row["lsn"])
        if not row["replica"] or self._history.lag(monotonic(), reached) > LAG_LIMIT:
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
        self._settings = settings(access, server) | {"command_timeout": ANSWER}
        self._server = str(server)
        self._connection: Connection | None = None

    async def ask(self, sql: str) -> asyncpg.Record:
        """One row. Raises DatabaseDown: after two tries, so that one that went wrong by chance changes nothing."""
        with contextlib.suppress(DatabaseDown):
            return await self._ask(sql)
        return await self._ask(sql)

    async def _ask(self, sql: str) -> asyncpg.Record:
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


def _is_busy(replica: Replica) -> bool:
    return replica.pool.busy


def read_list(file: Path) -> list[Endpoint] | None:
    """The replicas that the file lists, a JSON list of `host:port`; None if it cannot be read now."""
    try:
        servers = json.loads(file.read_text(encoding="utf-8"))
        split = [server.rpartition(":") for server in servers]
        return [Endpoint(host.strip("[]"), int(port)) for host, _, port in split]
    except (OSError, ValueError, AttributeError, TypeError):
        return None

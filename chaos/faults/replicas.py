"""Every replica, of the databases and of the sessions: killed, paused; and the databases' behind their mains."""

from __future__ import annotations

import asyncio
import signal
import time

from chaos.fault import Fault, Scene
from chaos.fleet import Fleet, send
from chaos.line import OVER, STRUCK
from chaos.published import REPLICA_LOST
from chaos.stores import REPLICA, Server, databases, freeze, nodes, restarted, tell, thaw
from chaos.verdicts import nothing_failed
from goldfleet.errors import LocalCloudError
from local.processes import Process

BACK_SECONDS = 120
PAUSED = 8.0
BEHIND = 5
"""Seconds."""
BEHIND_FOR = 15.0
FOLLOWS = 1.0
PROMISE = "0 stale for one's own writes, 0 failed"


def kill(scene: Scene) -> None:
    """One after the other; each is over when another process serves in its place, and follows."""
    scene.mark(STRUCK)
    for replica in _all(scene.fleet):
        scene.say(f"{replica.id} is killed")
        before = scene.fleet.process(replica.process)
        send(before, signal.SIGKILL)
        scene.until(OVER, lambda before=before: _is_back(scene, before), BACK_SECONDS)  # type: ignore[misc]


def pause(scene: Scene) -> None:
    """One after the other stops in the middle of what it does, for a while."""
    scene.mark(STRUCK)
    for replica in _all(scene.fleet):
        scene.say(f"{replica.id} is stopped for {PAUSED:.0f} s")
        process = scene.fleet.process(replica.process)
        scene.undo.callback(thaw, process)
        freeze(process)
        time.sleep(PAUSED)
        thaw(process)
    scene.until(OVER, lambda: _follow(scene.fleet), BACK_SECONDS)


def lag(scene: Scene) -> None:
    """All replicas of the databases replay what was committed some seconds ago, for a while."""
    replicas = databases(scene.fleet, REPLICA)
    for replica in replicas:
        scene.undo.callback(_delay, scene.fleet, replica, 0)
    scene.mark(STRUCK)
    for replica in replicas:
        _delay(scene.fleet, replica, BEHIND)
    time.sleep(BEHIND_FOR)
    scene.note("seconds behind", [round(_lag(scene.fleet, replica), 1) for replica in replicas])
    for replica in replicas:
        _delay(scene.fleet, replica, 0)
    scene.until(OVER, lambda: _follow(scene.fleet), BACK_SECONDS)


def _all(fleet: Fleet) -> list[Server]:
    return [*databases(fleet, REPLICA), *nodes(fleet, "sessions")[REPLICA]]


def _is_back(scene: Scene, before: Process) -> bool:
    return restarted(scene.fleet, before) and _follow(scene.fleet)


def _follow(fleet: Fleet) -> bool:
    try:
        return all(_lag(fleet, replica) < FOLLOWS for replica in databases(fleet, REPLICA))
    except LocalCloudError:
        return False


def _lag(fleet: Fleet, replica: Server) -> float:
    """Seconds that a replica is behind, while its main writes all the time."""
    return float(
        asyncio.run(tell(fleet, replica, "SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8"))
    )


def _delay(fleet: Fleet, replica: Server, seconds: int) -> None:
    asyncio.run(
        tell(
            fleet,
            replica,
            f"ALTER SYSTEM SET recovery_min_apply_delay = '{seconds}s'",
            "SELECT pg_reload_conf()",
        )
    )


FAULTS = (
    Fault(
        name="replicas-killed",
        what="kill -9 of each replica",
        promise=PROMISE,
        published=str(REPLICA_LOST),
        strike=kill,
        broken=nothing_failed,
    ),
    Fault(
        name="replicas-paused",
        what=f"SIGSTOP of each replica for {PAUSED:.0f} s",
        promise=PROMISE,
        published=str(REPLICA_LOST),
        strike=pause,
        broken=nothing_failed,
    ),
    Fault(
        name="replicas-behind",
        what=f"every replica {BEHIND} s behind its main",
        promise=PROMISE,
        published=str(REPLICA_LOST),
        strike=lag,
        broken=nothing_failed,
    ),
)

"""The primary of the sessions: killed, and frozen with its connections open."""

from __future__ import annotations

import signal
from collections.abc import Callable

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.outages import failed_until, refused_in_time
from chaos.published import SESSIONS_FAILOVER
from chaos.stores import PRIMARY, available, freeze, nodes, thaw
from local.processes import Process

SESSIONS = "sessions"
PROMOTED = "replica promoted"
FAILOVER_SECONDS = 60
BACK_SECONDS = 120


def kill(scene: Scene) -> None:
    _lose(scene, lambda process: send(process, signal.SIGKILL))


def hang(scene: Scene) -> None:
    """It answers nothing; whether it is still there, ElastiCache must find out."""

    def stop(process: Process) -> None:
        scene.undo.callback(thaw, process)
        freeze(process)

    _lose(scene, stop)


def broken(line: Line) -> list[str]:
    return [*failed_until(line, PROMOTED), *refused_in_time(line)]


def _lose(scene: Scene, strike: Callable[[Process], None]) -> None:
    """It is over when a former replica is the primary, a new node its replica, and people are served."""
    fleet, old = scene.fleet, nodes(scene.fleet, SESSIONS)[PRIMARY][0]
    process = fleet.process(old.process)
    scene.note("primary", old.id)
    scene.mark(STRUCK)
    strike(process)
    scene.until(PROMOTED, lambda: [node.id for node in nodes(fleet, SESSIONS)[PRIMARY]] != [old.id], FAILOVER_SECONDS)
    scene.until(OVER, lambda: available(fleet) and scene.served_again(), BACK_SECONDS)


FAULTS = (
    Fault(
        name="sessions-killed",
        what="kill -9 of the sessions' primary",
        promise="logins survive; requests fail at most for the failover",
        published=str(SESSIONS_FAILOVER),
        strike=kill,
        broken=broken,
    ),
    Fault(
        name="sessions-frozen",
        what="SIGSTOP of the sessions' primary",
        promise="logins survive; requests fail at most for the failover",
        published=str(SESSIONS_FAILOVER),
        strike=hang,
        broken=broken,
    ),
)

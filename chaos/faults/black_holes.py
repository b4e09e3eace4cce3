"""The network between the app and a store falls silent: nothing is refused, nothing arrives."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from chaos.black_hole import black_hole, why_not
from chaos.fault import Fault, NotHere, Scene
from chaos.fleet import Fleet
from chaos.line import OVER, STRUCK, Line
from chaos.outages import failed_until, reads_go_on, refused_in_time
from chaos.sockets import ports_of_others
from chaos.stores import MAIN, REPLICA, databases, primary_endpoint
from chaos.verdicts import nothing_failed

SECONDS = 8.0
"""Longer than any time that the app waits for a store."""
LIFTED = "network back"
BACK_SECONDS = 60
PUBLISHED = "no time: nothing of AWS fails, what a client waits is its own"


def _silence(addresses: Callable[[Fleet], Sequence[str]]) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        reason = why_not()
        if reason:
            raise NotHere(reason)
        clones = [process.pid for process in scene.fleet.processes("i-").values()]
        scene.mark(STRUCK)
        for address in addresses(scene.fleet):
            # Replication goes on: it is the way from the app that breaks.
            with black_hole(address, ports_of_others(address, clones)):
                time.sleep(SECONDS)
        scene.mark(LIFTED)
        scene.until(OVER, scene.served_again, BACK_SECONDS)

    return strike


def _sessions_broken(line: Line) -> list[str]:
    return [*failed_until(line, LIFTED), *refused_in_time(line)]


def _main_broken(line: Line) -> list[str]:
    return [*failed_until(line, LIFTED), *reads_go_on(line), *refused_in_time(line)]


def _hosts(role: str) -> Callable[[Fleet], list[str]]:
    return lambda fleet: [server.host for server in databases(fleet, role)]


FAULTS = (
    Fault(
        name="black-hole-cache",
        what=f"no packet between clones and cache for {SECONDS:.0f} s",
        promise="0 wrong, 0 failed",
        published=PUBLISHED,
        strike=_silence(lambda fleet: [primary_endpoint(fleet, "cache")]),
        broken=nothing_failed,
    ),
    Fault(
        name="black-hole-sessions",
        what=f"no packet between clones and the sessions' primary for {SECONDS:.0f} s",
        promise="logins survive; 503 in time, and service again by itself",
        published=PUBLISHED,
        strike=_silence(lambda fleet: [primary_endpoint(fleet, "sessions")]),
        broken=_sessions_broken,
    ),
    Fault(
        name="black-hole-main",
        what=f"no packet between clones and the database's main for {SECONDS:.0f} s",
        promise="reads go on; writes get 503 in time, and are taken again by themselves",
        published=PUBLISHED,
        strike=_silence(_hosts(MAIN)),
        broken=_main_broken,
    ),
    Fault(
        name="black-hole-replicas",
        what=f"no packet between clones and each replica for {SECONDS:.0f} s",
        promise="0 stale for one's own writes, 0 failed",
        published=PUBLISHED,
        strike=_silence(_hosts(REPLICA)),
        broken=nothing_failed,
    ),
)

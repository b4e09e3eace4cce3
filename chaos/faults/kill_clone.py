"""`kill -9` of one clone's process."""

from __future__ import annotations

import signal

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.verdicts import HEALTH_BOUND, nothing_failed_after, nothing_wrong, repeated_gets_succeed, seen_afterwards

REPLACED_SECONDS = 120


def strike(scene: Scene) -> None:
    """Kills one; it is over when the group has put another in its place."""
    before = scene.fleet.serving()
    victim = min(before)
    scene.note("clone", victim)
    process = scene.fleet.process(victim)
    scene.mark(STRUCK)
    send(process, signal.SIGKILL)
    scene.until(OVER, lambda: _replaced(scene, victim, len(before)), REPLACED_SECONDS)
    scene.pass_by(HEALTH_BOUND)


def broken(line: Line) -> list[str]:
    return [
        *nothing_wrong(line),
        *nothing_failed_after(line, HEALTH_BOUND),
        *repeated_gets_succeed(line),
        *seen_afterwards(line),
    ]


def _replaced(scene: Scene, victim: str, count: int) -> bool:
    serving = scene.fleet.serving()
    return victim not in serving and len(serving) == count


FAULTS = (
    Fault(
        name="clone-killed",
        what="kill -9 of a clone",
        promise=f"what is sent {HEALTH_BOUND} s later succeeds, as do repeated GETs; nothing is lost; it is replaced",
        published="an unhealthy target gets no requests after interval x threshold (Target group health checks)",
        strike=strike,
        broken=broken,
    ),
)

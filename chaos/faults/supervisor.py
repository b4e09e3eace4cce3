"""The process that a run of the local cloud hangs on, killed: AWS has no such thing."""

from __future__ import annotations

import signal

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.load import Load
from local.processes import wait_until

GONE_SECONDS = 10
"""A process that is killed is there until the system has torn it down."""
REQUESTS = 50
REQUESTS_SECONDS = 60


def strike(scene: Scene) -> None:
    """Over when the next `goldfleet up` has brought up a fleet that people can use, with nothing left of the old."""
    fleet = scene.fleet
    old, supervisor = list(fleet.processes().values()), fleet.process("supervisor")
    scene.mark(STRUCK)
    send(supervisor, signal.SIGKILL)
    scene.until("gone", lambda: not supervisor.alive, GONE_SECONDS)
    fleet.up()
    scene.mark(OVER)
    scene.note("old processes left", sorted(process.name for process in old if process.alive))
    with Load(fleet.view().url, people=2) as load:
        wait_until(lambda: load.answered >= REQUESTS or load.ended, REQUESTS_SECONDS)
    scene.note("good answers afterwards", load.answered)
    scene.note("bad answers afterwards", len(load.failures))


def broken(line: Line) -> list[str]:
    facts = line.facts
    found = [f"left over: {name}" for name in facts.get("old processes left", ())]
    if facts.get("good answers afterwards", 0) < REQUESTS or facts.get("bad answers afterwards"):
        found.append("the new fleet does not serve well")
    return found


FAULTS = (
    Fault(
        name="supervisor-killed",
        what="kill -9 of the local cloud's supervisor, then `goldfleet up`",
        promise="clean next start: nothing is left of the old run, people can use the new one",
        published="nothing: AWS has no such process",
        strike=strike,
        broken=broken,
        load=False,
    ),
)

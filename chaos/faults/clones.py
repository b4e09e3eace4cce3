"""Clones that die or hang: the balancer stops asking them, the group puts others in their place."""

from __future__ import annotations

import signal
from collections.abc import Collection

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.published import HEALTH_CHECK, INSTANCE_REPLACED
from chaos.verdicts import HEALTH_BOUND, living_clones_serve, survived

REPLACED_SECONDS = 180
CLONES = 3
"""For all but one: more than one of them must die."""


def kill_one(scene: Scene) -> None:
    _strike(scene, [min(scene.fleet.serving())], signal.SIGKILL)


def freeze_one(scene: Scene) -> None:
    _strike(scene, [min(scene.fleet.serving())], signal.SIGSTOP)


def kill_all_but_one(scene: Scene) -> None:
    scene.workshop.do("scale", str(CLONES))
    _strike(scene, sorted(scene.fleet.serving())[1:], signal.SIGKILL)


def broken(line: Line) -> list[str]:
    """What is sent before the balancer has seen it may fail, unless the client repeats it."""
    return [*survived(line), *living_clones_serve(line)]


def _strike(scene: Scene, victims: Collection[str], how: signal.Signals) -> None:
    """It is over when the group has put others in their place, and the balancer trusts them."""
    count = len(scene.fleet.serving())
    processes = [scene.fleet.process(victim) for victim in victims]
    scene.note("clones", sorted(victims))
    scene.say(f"{how.name} to {', '.join(victims)}")
    scene.mark(STRUCK)
    for process in processes:
        scene.undo.callback(send, process, signal.SIGCONT)
        send(process, how)
    scene.until(OVER, lambda: scene.fleet.has_replaced(victims, count), REPLACED_SECONDS)
    scene.pass_by(HEALTH_BOUND)


PROMISE = f"what is sent {HEALTH_BOUND} s later succeeds, as do repeated GETs; nothing is lost"
PUBLISHED = f"{HEALTH_CHECK}; {INSTANCE_REPLACED}"
FAULTS = (
    Fault("clone-killed", "kill -9 of a clone", f"{PROMISE}; it is replaced", PUBLISHED, kill_one, broken),
    Fault("clone-frozen", "SIGSTOP of a clone", f"{PROMISE}; it is replaced", PUBLISHED, freeze_one, broken),
    Fault(
        "all-but-one-killed",
        f"kill -9 of all clones but one, of {CLONES}",
        f"{PROMISE}; the group refills",
        PUBLISHED,
        kill_all_but_one,
        broken,
    ),
)

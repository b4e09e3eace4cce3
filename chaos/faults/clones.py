"""Clones that die or hang: the balancer stops asking them, the group puts others in their place."""

from __future__ import annotations

import signal
from collections.abc import Collection

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK, Line
from chaos.verdicts import HEALTH_BOUND, nothing_failed_after, nothing_wrong, repeated_gets_succeed, seen_afterwards

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
    return [
        *nothing_wrong(line),
        *nothing_failed_after(line, HEALTH_BOUND),
        *repeated_gets_succeed(line),
        *seen_afterwards(line),
    ]


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
    scene.until(OVER, lambda: _replaced(scene, victims, count), REPLACED_SECONDS)
    scene.pass_by(HEALTH_BOUND)


def _replaced(scene: Scene, victims: Collection[str], count: int) -> bool:
    serving = scene.fleet.serving()
    return len(serving) >= count and not serving.keys() & set(victims)


_PROMISE = f"what is sent {HEALTH_BOUND} s later succeeds, as do repeated GETs; nothing is lost"
_PUBLISHED = (
    "a target gets no requests once it has failed as many health checks as the unhealthy threshold says "
    "(Health checks for Application Load Balancer target groups); its group terminates it and launches another "
    "(Health checks for instances in an Auto Scaling group)"
)
FAULTS = (
    Fault("clone-killed", "kill -9 of a clone", f"{_PROMISE}; it is replaced", _PUBLISHED, kill_one, broken),
    Fault("clone-frozen", "SIGSTOP of a clone", f"{_PROMISE}; it is replaced", _PUBLISHED, freeze_one, broken),
    Fault(
        "all-but-one-killed",
        f"kill -9 of all clones but one, of {CLONES}",
        f"{_PROMISE}; the group refills",
        _PUBLISHED,
        kill_all_but_one,
        broken,
    ),
)

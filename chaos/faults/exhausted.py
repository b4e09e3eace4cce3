"""A clone that runs out of memory to write to, or of file descriptors: it says so, and is replaced."""

from __future__ import annotations

from collections.abc import Callable

from chaos.exhaustion import full, take_descriptors
from chaos.fault import Fault, NotHere, Scene
from chaos.fleet import Fleet
from chaos.line import OVER, STRUCK, Line
from chaos.verdicts import HEALTH_BOUND, nothing_failed_after, nothing_wrong, repeated_gets_succeed, seen_afterwards
from goldfleet.errors import LocalCloudError
from local.run_folder import volatile_folder

REPLACED_SECONDS = 120
SAID = "what its log says"


def fill_memory(scene: Scene) -> None:
    def strike(victim: str) -> None:
        run = scene.fleet.folder.read_run()
        assert run
        scene.undo.enter_context(full(volatile_folder(run.network) / victim))

    _strike(scene, strike, " is full: ")


def exhaust_descriptors(scene: Scene) -> None:
    _strike(scene, lambda victim: take_descriptors(scene.fleet.process(victim)), "no file descriptor is left")


def broken(line: Line) -> list[str]:
    return [
        *nothing_wrong(line),
        *nothing_failed_after(line, HEALTH_BOUND),
        *repeated_gets_succeed(line),
        *seen_afterwards(line),
        *([] if line.facts.get(SAID) else ["the log of the clone does not say why"]),
    ]


def _strike(scene: Scene, strike: Callable[[str], None], words: str) -> None:
    """It is over when the group has put another in its place."""
    before = scene.fleet.serving()
    victim = min(before)
    scene.note("clone", victim)
    scene.mark(STRUCK)
    try:
        strike(victim)
    except LocalCloudError as error:
        raise NotHere(str(error)) from error
    scene.until(OVER, lambda: _is_replaced(scene.fleet, victim, len(before)), REPLACED_SECONDS)
    scene.pass_by(HEALTH_BOUND)
    scene.note(SAID, reason(scene.fleet, victim, words))


def _is_replaced(fleet: Fleet, victim: str, count: int) -> bool:
    serving = fleet.serving()
    return victim not in serving and len(serving) >= count


def reason(fleet: Fleet, instance: str, words: str) -> str:
    """The line of a clone's console that has these words, as get-console-output gives it; empty if none has."""
    text = fleet.session.client("ec2").get_console_output(InstanceId=instance).get("Output", "")
    return next((line for line in text.splitlines() if words in line), "")


_PROMISE = f"it says why; what is sent {HEALTH_BOUND} s later succeeds, as do repeated GETs; it is replaced"
_PUBLISHED = (
    "a target gets no requests once it has failed as many health checks as the unhealthy threshold says "
    "(Health checks for Application Load Balancer target groups); its group terminates it and launches another "
    "(Health checks for instances in an Auto Scaling group)"
)
FAULTS = (
    Fault("memory-full", "a clone's tmpfs full", _PROMISE, _PUBLISHED, fill_memory, broken),
    Fault(
        "descriptors-gone", "a clone's file descriptors exhausted", _PROMISE, _PUBLISHED, exhaust_descriptors, broken
    ),
)

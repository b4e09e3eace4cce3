"""A clone that runs out of memory to write to, or of file descriptors: it says so, and is replaced."""

from __future__ import annotations

from collections.abc import Callable

from chaos.exhaustion import full, take_descriptors
from chaos.fault import Fault, NotHere, Scene
from chaos.fleet import Fleet
from chaos.line import OVER, STRUCK, Line
from chaos.published import HEALTH_CHECK, INSTANCE_REPLACED
from chaos.verdicts import HEALTH_BOUND, survived
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
    return [*survived(line), *([] if line.facts.get(SAID) else ["the log of the clone does not say why"])]


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
    scene.until(OVER, lambda: scene.fleet.has_replaced([victim], len(before)), REPLACED_SECONDS)
    scene.pass_by(HEALTH_BOUND)
    scene.note(SAID, reason(scene.fleet, victim, words))


def reason(fleet: Fleet, instance: str, words: str) -> str:
    """The line of a clone's console that has these words, as get-console-output gives it; empty if none has."""
    text = fleet.session.client("ec2").get_console_output(InstanceId=instance).get("Output", "")
    return next((line for line in text.splitlines() if words in line), "")


_PROMISE = f"it says why; what is sent {HEALTH_BOUND} s later succeeds, as do repeated GETs; it is replaced"
_PUBLISHED = f"{HEALTH_CHECK}; {INSTANCE_REPLACED}"
FAULTS = (
    Fault("memory-full", "a clone's tmpfs full", _PROMISE, _PUBLISHED, fill_memory, broken),
    Fault(
        "descriptors-gone", "a clone's file descriptors exhausted", _PROMISE, _PUBLISHED, exhaust_descriptors, broken
    ),
)

"""More clones and fewer again, while people use them."""

from __future__ import annotations

from chaos.fault import Fault, Scene
from chaos.line import OVER, STRUCK, Line
from chaos.published import BOOT, DEREGISTRATION
from chaos.verdicts import nothing_failed, seen_afterwards

SCALED_SECONDS = 120


def strike(scene: Scene) -> None:
    """As many as the settings allow, and back; over when the last one that leaves has drained and is gone."""
    fleet = scene.fleet
    few, many = fleet.settings.fleet.desired, fleet.settings.fleet.max
    scene.note("clones", [few, many, few])
    scene.mark(STRUCK)
    scene.workshop.do("scale", str(many))
    scene.until("all there", lambda: len(fleet.serving()) == many, SCALED_SECONDS)
    scene.workshop.do("scale", str(few))
    scene.until(OVER, lambda: len(fleet.view().clones) == few and fleet.is_whole(), SCALED_SECONDS)


def broken(line: Line) -> list[str]:
    return [*nothing_failed(line), *seen_afterwards(line)]


FAULTS = (
    Fault(
        "scale",
        "from the wished count to the highest and back",
        "0 failed",
        f"{BOOT}; {DEREGISTRATION}",
        strike,
        broken,
    ),
)

"""AWS's API is slow and fails every second call, while a clone dies."""

from __future__ import annotations

import json
import signal
import time

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK
from chaos.published import INSTANCE_REPLACED
from chaos.verdicts import HEALTH_BOUND, survived

RULE = {"delay_seconds": 0.5, "error": "InternalError", "status": 500, "probability": 0.5, "seed": 7}
SECONDS = HEALTH_BOUND + 5.0
REPLACED_SECONDS = 120
HEALED = "API well again"


def strike(scene: Scene) -> None:
    """It is over when the API is well again and the group has put another clone in the dead one's place."""
    fleet, before = scene.fleet, scene.fleet.serving()
    victim = min(before)
    process = fleet.process(victim)
    scene.note("clone", victim)
    scene.undo.callback(fleet.control.call, "DELETE", "faults")
    fleet.control.call("POST", "faults", json.dumps(RULE).encode())
    scene.mark(STRUCK)
    send(process, signal.SIGKILL)
    time.sleep(SECONDS)
    fleet.control.call("DELETE", "faults")
    scene.mark(HEALED)
    scene.until(OVER, lambda: victim not in fleet.serving() and fleet.is_whole(), REPLACED_SECONDS)


FAULTS = (
    Fault(
        name="aws-api-failing",
        what="AWS's API slow, every second call fails; meanwhile kill -9 of a clone",
        promise=f"what is sent {HEALTH_BOUND} s later succeeds, as do repeated GETs; replaced once the API is well",
        published=str(INSTANCE_REPLACED),
        strike=strike,
        broken=survived,
    ),
)

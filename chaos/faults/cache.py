"""The cache: killed, and emptied again and again."""

from __future__ import annotations

import signal
import time

from chaos.fault import Fault, Scene
from chaos.fleet import send
from chaos.line import OVER, STRUCK
from chaos.published import CACHE_NODE_LOST
from chaos.stores import PRIMARY, nodes, restarted, take_all_keys
from chaos.verdicts import nothing_failed

BACK_SECONDS = 60
FLUSHES = 20
BETWEEN = 0.25
"""Seconds between two flushes."""


def kill(scene: Scene) -> None:
    """It is over when another process serves the cache."""
    before = scene.fleet.process(nodes(scene.fleet, "cache")[PRIMARY][0].process)
    scene.mark(STRUCK)
    send(before, signal.SIGKILL)
    scene.until(OVER, lambda: restarted(scene.fleet, before), BACK_SECONDS)


def flush(scene: Scene) -> None:
    """Takes all keys away, often, while people read and write."""
    scene.mark(STRUCK)
    for _ in range(FLUSHES):
        take_all_keys(scene.fleet, "cache")
        time.sleep(BETWEEN)
    scene.note("flushes", FLUSHES)
    scene.mark(OVER)


FAULTS = (
    Fault(
        name="cache-killed",
        what="kill -9 of the cache",
        promise="0 wrong, 0 failed",
        published=str(CACHE_NODE_LOST),
        strike=kill,
        broken=nothing_failed,
    ),
    Fault(
        name="cache-flushed",
        what=f"all keys of the cache taken away, {FLUSHES} times",
        promise="0 wrong, 0 failed",
        published=str(CACHE_NODE_LOST),
        strike=flush,
        broken=nothing_failed,
    ),
)

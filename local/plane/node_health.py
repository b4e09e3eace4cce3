"""How the nodes of replication groups are: asked again and again, each at its own address.

A node that has not answered for FAILED seconds has failed, whether its process ended, hangs or is frozen. What then
happens ElastiCache decides: here it is only reported.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from local.plane.running import Phase, Unit
from local.plane.wanted import StoreNode

FAILED = 5.0
"""Seconds without an answer after which ElastiCache's part takes a node for failed; AWS does not publish its own."""
PAUSE = 1.0
"""Seconds between two questions; while a node is being created, SHORT_PAUSE."""
SHORT_PAUSE = 0.2
NOTHING_COPIED = 1
"""What a replica of Valkey says of its offset before it has copied anything."""
_AT_ONCE = 8


@dataclass(frozen=True)
class Seen:
    """What a node's answers have told.

    Args:
        created: which node in this place.
        heard: when it answered last, by a monotonic clock; None: never.
        answers: False if it did not answer when it was asked last.
        copied: True once it has its primary's data.
        offset: how much of that, in bytes.
    """

    created: int
    heard: float | None = None
    answers: bool = False
    copied: bool = False
    offset: int = 0


def seen(before: Seen, info: Mapping[str, Any], now: float, *, primary_answers: bool) -> Seen:
    """What is known after one more question; `info` is INFO's section on replication, empty for no answer."""
    if not info:
        return replace(before, answers=False)
    is_replica = info["role"] == "slave"
    offset = int(info["slave_repl_offset" if is_replica else "master_repl_offset"])
    # Without a primary no link is up; what a replica has copied, it still has.
    kept = not primary_answers and (before.copied or offset > NOTHING_COPIED)
    copied = not is_replica or info["master_link_status"] == "up" or kept
    return Seen(before.created, now, answers=True, copied=copied, offset=offset)


def report(unit: Unit, known: Seen, now: float, *, primary_answers: bool) -> dict[str, Any]:
    """What to tell of one node, as docs/architecture.md shows it; the offset only where it matters: it never rests."""
    node = unit.spec
    assert isinstance(node, StoreNode)
    told = {"state": _state(unit, known, now), "role": "replica" if node.primary else "primary"}
    return told | {"created": node.created, "offset": 0 if primary_answers else known.offset}


def _state(unit: Unit, known: Seen, now: float) -> str:
    if known.answers:
        return "available" if known.copied else "creating"
    quiet = now - max(known.heard or 0.0, unit.since)
    if unit.started and unit.phase is not Phase.BUSY and quiet > FAILED:
        return "failed"
    return "creating" if known.heard is None else "silent"


class NodeHealth:
    """Watches all nodes that there are.

    Args:
        units: all units by name, as they are now.
        ask: INFO's section on replication, or nothing if the node does not answer within two seconds.
        changed: called when there is something new to report.
    """

    def __init__(
        self,
        units: Callable[[], Mapping[str, Unit]],
        ask: Callable[[StoreNode], Mapping[str, Any]],
        changed: Callable[[], None],
    ) -> None:
        self._units = units
        self._ask = ask
        self._changed = changed
        self._seen: dict[str, Seen] = {}
        self._report: dict[str, dict[str, Any]] = {}

    @property
    def view(self) -> dict[str, dict[str, Any]]:
        """What to report, by cache cluster id."""
        return self._report

    def run(self, stop: threading.Event) -> None:
        """Asks until `stop` is set."""
        with ThreadPoolExecutor(_AT_ONCE, "node") as pool:
            while not stop.wait(PAUSE if self._is_settled() else SHORT_PAUSE):
                units = {name: unit for name, unit in self._units().items() if isinstance(unit.spec, StoreNode)}
                started = {name: unit.spec for name, unit in units.items() if unit.started}
                answers = dict(zip(started, pool.map(self._ask, started.values()), strict=True))
                self._take(units, answers, time.monotonic())

    def _is_settled(self) -> bool:
        return bool(self._report) and all(told["state"] != "creating" for told in self._report.values())

    def _take(self, units: Mapping[str, Unit], answers: Mapping[str, Mapping[str, Any]], now: float) -> None:
        alive = {node.group for node in _nodes(units.values()) if node.primary is None and answers.get(node.name)}
        known, told = {}, {}
        for node in _nodes(units.values()):
            before = self._seen.get(node.name, Seen(node.created))
            before = before if before.created == node.created else Seen(node.created)
            known[node.name] = seen(before, answers.get(node.name, {}), now, primary_answers=node.group in alive)
            told[node.identifier] = report(units[node.name], known[node.name], now, primary_answers=node.group in alive)
        self._seen = known
        if told != self._report:
            self._report = told
            self._changed()


def _nodes(units: Iterable[Unit]) -> list[StoreNode]:
    return [unit.spec for unit in units if isinstance(unit.spec, StoreNode)]

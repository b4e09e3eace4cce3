"""What runs, as values, and how it changes when a process starts, ends or cannot start."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from local.plane.wanted import Clone, Spec

CRASH_LOOP = 5
"""Failures in a row from which a unit counts as failed; it is still tried, now and then."""
STEADY = 60.0
"""Seconds a unit must run for its earlier failures to be forgotten."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0


class Phase(enum.Enum):
    """BUSY: an action is under way. DOWN: to be started. ENDED: a clone that ended by itself; its group replaces it."""

    BUSY = "busy"
    RUNNING = "running"
    DOWN = "down"
    ENDED = "ended"


@dataclass(frozen=True)
class Unit:
    """One thing that the data plane runs or tries to run.

    Args:
        spec: what it was last started or changed to.
        since: when it entered its phase, in seconds of a monotonic clock.
        failures: starts and lives in a row that ended badly.
        retry_at: no action before this moment.
        started: True once it ran.
        created: when it was first wanted, by the same clock.
    """

    spec: Spec
    phase: Phase
    since: float
    created: float
    failures: int = 0
    retry_at: float = 0.0
    started: bool = False

    @property
    def crash_looping(self) -> bool:
        return self.failures >= CRASH_LOOP and self.phase is not Phase.RUNNING


@dataclass(frozen=True)
class Running:
    """All units by name, and what the balancer does with instances.

    Args:
        units: by the name of their spec.
        serving: instances that the balancer may still send requests to, or whose requests it waits for.
        healthy_once: instances that have passed a health check.
        reported: instances already reported as unhealthy to their group.
    """

    units: Mapping[str, Unit] = field(default_factory=dict)
    serving: frozenset[str] = frozenset()
    healthy_once: frozenset[str] = frozenset()
    reported: frozenset[str] = frozenset()

    def is_running(self, name: str) -> bool:
        unit = self.units.get(name)
        return unit is not None and unit.phase is Phase.RUNNING


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures in a row: none after the first, doubling after that, at most 30."""
    return 0.0 if failures <= 1 else min(_FIRST_PAUSE * 2.0 ** (failures - 2), _LONGEST_PAUSE)


def begun(spec: Spec, before: Unit | None, now: float) -> Unit:
    """The unit while an action on it is under way."""
    return replace(before or Unit(spec, Phase.BUSY, now, now), phase=Phase.BUSY, since=now)


def succeeded(unit: Unit, spec: Spec, now: float) -> Unit:
    """The unit after it was started or changed."""
    return replace(unit, spec=spec, phase=Phase.RUNNING, since=now, retry_at=0.0, started=True)


def cut_off(unit: Unit, now: float) -> Unit:
    """The unit after its process was ended from outside, which is no failure of its own."""
    return replace(unit, phase=Phase.DOWN, since=now)


def failed(unit: Unit, now: float, back_to: Phase, *, for_good: bool = False) -> Unit:
    """The unit after an action on it failed; `for_good` if another try is not likely to help."""
    failures = max(unit.failures + 1, CRASH_LOOP if for_good else 0)
    return replace(
        unit, phase=back_to, since=now, failures=failures, retry_at=now + max(backoff(failures), _FIRST_PAUSE)
    )


def exited(unit: Unit, now: float) -> Unit:
    """The unit after its process ended though nobody asked it to."""
    failures = 1 if now - unit.since > STEADY else unit.failures + 1
    phase = Phase.ENDED if isinstance(unit.spec, Clone) else Phase.DOWN
    return replace(unit, phase=phase, since=now, failures=failures, retry_at=now + backoff(failures))

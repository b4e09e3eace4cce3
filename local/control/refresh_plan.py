"""One step of an instance refresh: a pure function of what the group has now.

AWS, "How an instance refresh works in an Auto Scaling group", "Add checkpoints to an instance refresh" and the API
reference of RefreshPreferences: never fewer than the minimum healthy percentage in service, never more than the maximum
percentage; a replacement counts once it is healthy and warm; no more is replaced than the next checkpoint asks for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RefreshMember:
    """An instance in service.

    Args:
        instance_id: its id.
        old: True if the refresh has to replace it.
        ready: True if it is healthy, and warm if it is new.
        held: True if it is old and must not be ended now (protected from scale-in, in standby).
    """

    instance_id: str
    old: bool
    ready: bool
    held: bool = False


@dataclass(frozen=True)
class Bounds:
    """Healthy percentages of the desired capacity; `maximum` None means that none was given."""

    minimum: int = 90
    maximum: int | None = None

    def floor(self, desired: int) -> int:
        """How many must stay ready."""
        return math.ceil(desired * self.minimum / 100)

    def ceiling(self, desired: int) -> int:
        """How many may be in service; one more than desired if otherwise nothing could ever be replaced."""
        allowed = math.floor(desired * (self.maximum or 100) / 100)
        if self.maximum is not None and allowed == desired == self.floor(desired):
            return desired + 1
        return allowed


@dataclass(frozen=True)
class RefreshStep:
    """What to do now.

    Args:
        launch: how many new instances.
        terminate: ids of instances.
        done: True if the goal is reached.
    """

    launch: int = 0
    terminate: tuple[str, ...] = ()
    done: bool = False


def next_step(
    members: Sequence[RefreshMember], leaving: int, desired: int, bounds: Bounds, goal: int | None = None
) -> RefreshStep:
    """The next step of a refresh.

    Args:
        members: instances in service; of those that may go, the first go first.
        leaving: how many instances are being terminated.
        desired: the group's desired capacity.
        bounds: the healthy percentages.
        goal: how many instances need not be old for now, that is up to the next checkpoint; None means all.
    """
    goal = desired if goal is None else min(goal, desired)
    old = [member for member in members if member.old]
    new = [member for member in members if not member.old]
    if len(new) >= goal and len(members) == desired and all(member.ready for member in new):
        return RefreshStep(done=leaving == 0)
    held = sum(member.held for member in old)
    replacements = min(goal, desired - held) - len(new)
    launch = min(bounds.ceiling(desired) - len(members), max(replacements, desired - len(members)))
    if launch > 0:
        return RefreshStep(launch=launch)
    return RefreshStep(terminate=_terminable(old, new, desired, goal, bounds))


def percentage(total: int, remaining: int) -> int:
    """How much is done, 0 to 100."""
    return 100 if total == 0 else 100 * (total - remaining) // total


def updated_at(percent: int, total: int) -> int:
    """How many of `total` instances must be updated for a checkpoint of `percent` to be reached."""
    return -(-total * percent // 100)


def _terminable(
    old: Sequence[RefreshMember], new: Sequence[RefreshMember], desired: int, goal: int, bounds: Bounds
) -> tuple[str, ...]:
    ready = sum(member.ready for member in [*old, *new])
    spare = ready - bounds.floor(desired)
    nothing_in_flight = ready == len(old) + len(new) == desired
    if spare <= 0 and bounds.maximum is None and nothing_in_flight:
        spare = 1
    free = sorted((member for member in old if not member.held), key=lambda member: member.ready)
    surplus = sorted(new, key=lambda member: member.ready)[: max(0, len(new) - desired)]
    chosen = []
    for member in [*free[: max(0, len(old) - (desired - goal))], *surplus]:
        if member.ready and spare <= 0:
            continue
        spare -= member.ready
        chosen.append(member.instance_id)
    return tuple(chosen)

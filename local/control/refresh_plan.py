"""One step of an instance refresh: a pure function of what the group has now.

AWS, "How an instance refresh works in an Auto Scaling group" and the API reference of RefreshPreferences: never fewer
than the minimum healthy percentage in service, never more than the maximum; a replacement counts once it is healthy
and warm.
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
        overdue: True if it is new and should have been ready by now.
    """

    instance_id: str
    old: bool
    ready: bool
    overdue: bool = False


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
        overdue: id of an instance for which the refresh fails, or None.
        done: True if nothing is left to do.
    """

    launch: int = 0
    terminate: tuple[str, ...] = ()
    overdue: str | None = None
    done: bool = False


def next_step(members: Sequence[RefreshMember], leaving: int, desired: int, bounds: Bounds) -> RefreshStep:
    """The next step of a refresh.

    Args:
        members: instances in service.
        leaving: how many instances are being terminated.
        desired: the group's desired capacity.
        bounds: the healthy percentages.
    """
    overdue = next((member.instance_id for member in members if member.overdue), None)
    if overdue is not None:
        return RefreshStep(overdue=overdue)
    old = [member for member in members if member.old]
    new = [member for member in members if not member.old]
    if not old and len(new) == desired and all(member.ready for member in new):
        return RefreshStep(done=leaving == 0)
    launch = min(bounds.ceiling(desired) - len(members), desired - len(new))
    if launch > 0:
        return RefreshStep(launch=launch)
    return RefreshStep(terminate=_terminable(old, new, desired, bounds))


def percentage(total: int, remaining: int) -> int:
    """How much is done, 0 to 100."""
    return 100 if total == 0 else 100 * (total - remaining) // total


def _terminable(
    old: Sequence[RefreshMember], new: Sequence[RefreshMember], desired: int, bounds: Bounds
) -> tuple[str, ...]:
    ready = sum(member.ready for member in [*old, *new])
    unready_first = sorted(old, key=lambda member: member.ready)
    count = ready - bounds.floor(desired) + sum(not member.ready for member in old)
    nothing_in_flight = ready == len(old) + len(new) == desired
    if count <= 0 and bounds.maximum is None and nothing_in_flight:
        count = 1
    surplus = [member.instance_id for member in new[desired:]]
    return (*surplus, *(member.instance_id for member in unready_first[: max(count, 0)]))

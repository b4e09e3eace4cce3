"""What a scaling policy makes of its alarm: the desired capacity that it asks for. Pure.

AWS, "Target tracking scaling policies": out in proportion and at once, in gradually; clones that are warming up do not
count when the group scales out, and hold a scale-in back. "Step and simple scaling policies": adjustments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Capacity:
    """A group: bounds, desired capacity, and how many instances serve and are warm."""

    least: int
    most: int
    desired: int
    warm: int

    def bounded(self, wanted: int) -> int:
        return max(self.least, min(self.most, wanted))


@dataclass(frozen=True)
class Tracking:
    """A target tracking policy: the metric's newest value, and the value it aims at."""

    metric: float
    target: float


def scale_out(capacity: Capacity, tracking: Tracking) -> int:
    """The capacity at which the metric would meet its target, never less than is desired already."""
    needed = math.ceil(capacity.warm * tracking.metric / tracking.target)
    return max(capacity.desired, capacity.bounded(needed))


def scale_in(capacity: Capacity, policies: Sequence[Tracking]) -> int:
    """One instance less, if all policies keep to their targets without it."""
    fewer = capacity.bounded(capacity.desired - 1)
    warming = capacity.warm < capacity.desired
    if warming or fewer >= capacity.desired or (fewer < 1 and any(each.metric > 0 for each in policies)):
        return capacity.desired
    enough = all(each.metric * capacity.desired <= each.target * fewer for each in policies)
    return fewer if enough else capacity.desired


def adjust(capacity: Capacity, kind: str, adjustment: int, at_least: int = 0) -> int:
    """The capacity after an adjustment.

    Args:
        capacity: the group.
        kind: `ChangeInCapacity`, `ExactCapacity` or `PercentChangeInCapacity`.
        adjustment: instances, or percent.
        at_least: instances that a change in percent moves at least.
    """
    if kind == "ExactCapacity":
        return capacity.bounded(adjustment)
    if kind == "ChangeInCapacity":
        return capacity.bounded(capacity.desired + adjustment)
    exact = capacity.desired * adjustment / 100
    # AWS: above 1 it is rounded down, between 0 and 1 to 1, and the same below nought.
    whole = math.copysign(max(math.floor(abs(exact)), 1, at_least), exact) if exact else 0
    return capacity.bounded(capacity.desired + int(whole))


def step(steps: Sequence[Mapping[str, Any]], breach: float) -> int:
    """The adjustment of the step in which the metric lies; nought if there is none.

    Args:
        steps: `MetricIntervalLowerBound`, `MetricIntervalUpperBound` (relative to the alarm's threshold) and
            `ScalingAdjustment` of each.
        breach: the metric's value less the threshold.
    """
    for each in steps:
        low, high = each.get("MetricIntervalLowerBound"), each.get("MetricIntervalUpperBound")
        low = -math.inf if low is None else float(low)
        high = math.inf if high is None else float(high)
        # AWS: above the threshold the lower bound belongs to a step, below it the upper one.
        if low <= breach < high if breach >= 0 else low < breach <= high:
            return int(each["ScalingAdjustment"])
    return 0

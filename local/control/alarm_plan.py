"""From the datapoints of a metric alarm to its state and the reason that CloudWatch gives for it. Pure.

AWS, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data": an alarm looks at more periods than
it evaluates, takes the newest datapoints that are there, and only what is still missing is treated as the alarm says.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"
SPARE = 2
"""Periods that are looked at beside the evaluated ones, in case some of those have no data."""

_COMPARED: Mapping[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


@dataclass(frozen=True)
class Datapoint:
    """What a period says; `value` is None when it has no data."""

    at: datetime
    value: float | None


@dataclass(frozen=True)
class AlarmRule:
    """When an alarm rings.

    Args:
        comparison: CloudWatch's comparison operator.
        threshold: in the metric's unit.
        evaluated: count of periods that are evaluated.
        to_alarm: how many of them must breach.
        missing: `missing`, `ignore`, `breaching` or `notBreaching`.
    """

    comparison: str
    threshold: float
    evaluated: int
    to_alarm: int
    missing: str = "missing"

    @property
    def looked_at(self) -> int:
        """How many periods `evaluate` wants to see."""
        return self.evaluated + SPARE

    def breaches(self, value: float) -> bool:
        return _COMPARED[self.comparison][0](value, self.threshold)


@dataclass(frozen=True)
class Verdict:
    """An alarm's state, and why, in CloudWatch's words."""

    state: str
    reason: str


def evaluate(rule: AlarmRule, points: Sequence[Datapoint], before: str) -> Verdict:
    """The state that follows from datapoints.

    Args:
        rule: the alarm's.
        points: `rule.looked_at` periods, oldest first.
        before: the state so far.
    """
    there = [point for point in points if point.value is not None][-rule.evaluated :]
    breaching = [point for point in there if point.value is not None and rule.breaches(point.value)]
    state = _state(rule, points, len(breaching), len(there) - len(breaching), before)
    if state == INSUFFICIENT_DATA:
        return Verdict(state, f"Insufficient Data: {_counted(rule.evaluated, 'datapoint')} unknown.")
    if not there:
        return Verdict(state, _nothing(rule))
    fine = [point for point in there if point not in breaching]
    shown = (breaching if state == ALARM else fine) or there
    return Verdict(state, _crossed(rule, shown, before, state))


def _state(rule: AlarmRule, points: Sequence[Datapoint], breaching: int, fine: int, before: str) -> str:
    gaps = rule.evaluated - breaching - fine
    filled = breaching + (gaps if rule.missing == "breaching" else 0)
    if filled >= rule.to_alarm:
        return ALARM
    if rule.missing == "missing" and fine == 0 and _has_waited(rule, points):
        return ALARM
    if fine or rule.missing in {"breaching", "notBreaching"}:
        return OK
    return before if breaching or rule.missing == "ignore" else INSUFFICIENT_DATA


def _has_waited(rule: AlarmRule, points: Sequence[Datapoint]) -> bool:
    """Whether a breach is as old as the alarm asks for, with nothing but gaps since."""
    evaluated = list(points)[-rule.evaluated :]
    return any(point.value is not None for point in evaluated[: len(evaluated) - rule.to_alarm + 1])


def _nothing(rule: AlarmRule) -> str:
    treated = "Breaching" if rule.missing == "breaching" else "NonBreaching"
    count = rule.evaluated
    return (
        f"Threshold Crossed: no datapoints were received for {count} {'period' if count == 1 else 'periods'} and "
        f"{count} missing {'datapoint was' if count == 1 else 'datapoints were'} treated as [{treated}]."
    )


def _crossed(rule: AlarmRule, shown: Sequence[Datapoint], before: str, state: str) -> str:
    values = ", ".join(f"{point.value} ({point.at:%d/%m/%y %H:%M:%S})" for point in reversed(shown))
    last = "datapoint" if rule.evaluated == 1 else f"{rule.evaluated} datapoints"
    verb = ("was" if len(shown) == 1 else "were") + ("" if state == ALARM else " not")
    needed = rule.to_alarm if state == ALARM else rule.evaluated - rule.to_alarm + 1
    return (
        f"Threshold Crossed: {len(shown)} out of the last {last} [{values}] {verb} {_COMPARED[rule.comparison][1]} "
        f"the threshold ({float(rule.threshold)}) "
        f"(minimum {needed} {'datapoint' if needed == 1 else 'datapoints'} for {before} -> {state} transition)."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun} was" if count == 1 else f"{count} {noun}s were"

"""Metrics as CloudWatch keeps them: values and how often each was seen, by minute. Pure.

AWS, "CloudWatch concepts" and "Statistics definitions". A minute is a number that counts on; how long it lasts here is
told in `local.control.cloud`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

KEPT = 1000
"""Minutes that a metric is remembered."""
PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


@dataclass(frozen=True)
class Metric:
    """A metric's name: `dimensions` are pairs of name and value."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, namespace: str, name: str, **dimensions: str) -> Metric:
        return cls(namespace, name, frozenset(dimensions.items()))


@dataclass(frozen=True)
class Point:
    """What was measured: a value, how often it was seen, and in which unit."""

    metric: Metric
    value: float
    count: int = 1
    unit: str = "None"


class Metrics:
    """All metrics of one account and region."""

    def __init__(self) -> None:
        self._kept: dict[Metric, dict[int, Counter[float]]] = {}
        self._units: dict[Metric, str] = {}

    def add(self, point: Point, minute: int) -> None:
        """Keeps a point of a minute."""
        if point.count < 1:
            return
        kept = self._kept.setdefault(point.metric, {})
        kept.setdefault(minute, Counter())[point.value] += point.count
        self._units[point.metric] = point.unit
        if len(kept) > KEPT:
            del kept[min(kept)]

    def names(self) -> Iterator[Metric]:
        yield from self._kept

    def unit(self, metric: Metric) -> str:
        return self._units.get(metric, "None")

    def values(self, metric: Metric, first: int, after: int) -> Counter[float]:
        """All values from minute `first` up to, and without, minute `after`; empty if there are none."""
        kept = self._kept.get(metric, {})
        found: Counter[float] = Counter()
        for minute in range(first, after):
            found.update(kept.get(minute, {}))
        return found

    def periods(self, metric: Metric, first: int, after: int, length: int) -> dict[int, Counter[float]]:
        """The values of each period of `length` minutes that has any, by its first minute, oldest first."""
        found: dict[int, Counter[float]] = {}
        for minute, values in sorted(self._kept.get(metric, {}).items()):
            if first <= minute < after:
                found.setdefault(minute // length * length, Counter()).update(values)
        return found


def statistic(values: Mapping[float, int], name: str) -> float | None:
    """A statistic of values and their counts.

    Args:
        values: how often each was seen.
        name: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99` or `p99.9`.

    Returns:
        its value; None without values.

    Raises:
        ValueError: there is no such statistic.
    """
    percentile = PERCENTILE.fullmatch(name)
    if percentile is None and name not in {"Sum", "Average", "Minimum", "Maximum", "SampleCount"}:
        raise ValueError(name)
    if not values:
        return None
    count = sum(values.values())
    if percentile is not None:
        return _percentile(values, float(percentile[1]), count)
    total = sum(value * seen for value, seen in values.items())
    known = {"Sum": total, "Minimum": min(values), "Maximum": max(values), "SampleCount": float(count)}
    return known[name] if name != "Average" else total / count


def _percentile(values: Mapping[float, int], percent: float, count: int) -> float:
    """The least value that so many percent of all are not above."""
    left = max(1, math.ceil(count * percent / 100))
    for value in sorted(values):
        left -= values[value]
        if left <= 0:
            return value
    raise AssertionError("a percentile is never beyond the last value")

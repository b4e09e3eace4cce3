"""How metrics are kept, and what CloudWatch makes of what was measured."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.control.measured import Requests, Targets, cpu_points, request_points
from local.control.metrics import KEPT, Metric, Metrics, Point, statistic

LOAD = Metric.of("App", "Load", Host="a")


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 99))
def test_statistics_are_those_of_the_single_values(values: list[int], percent: int) -> None:
    counted = Counter(map(float, values))
    assert statistic(counted, "Sum") == sum(values)
    assert statistic(counted, "Average") == pytest.approx(sum(values) / len(values))
    assert (statistic(counted, "Minimum"), statistic(counted, "Maximum")) == (min(values), max(values))
    assert statistic(counted, "SampleCount") == len(values)
    found = statistic(counted, f"p{percent}")
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100
    assert sum(value < found for value in values) < len(values) * percent / 100 or found == min(values)


@pytest.mark.parametrize("name", ["Mean", "p101", "p", "tm90"])
def test_an_unknown_statistic_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        statistic({1.0: 1}, name)


def test_a_metric_remembers_so_many_minutes_and_no_more() -> None:
    metrics = Metrics()
    for minute in range(KEPT + 5):
        metrics.add(Point(LOAD, 1.0), minute)
    assert metrics.values(LOAD, 0, KEPT + 5).total() == KEPT
    assert sorted(metrics.periods(LOAD, 990, 1005, 10)) == [990, 1000]


def test_requests_become_the_metrics_of_a_load_balancer() -> None:
    group = Targets("group", "targetgroup/group/1", "app/site/2", healthy=2, unhealthy=1)
    said = [
        Requests("site", "group", "i-1", 200, 0.01, 6),
        Requests("site", "group", "i-2", 500, 0.5, 2),
        Requests("site", "group", "i-2", 502, None, 1),
        Requests("site", "group", "", 503, None, 3),
    ]
    found = {(point.metric.name, frozenset(dict(point.metric.dimensions))): point for point in _points(said, group)}
    balancer, both = frozenset({"LoadBalancer"}), frozenset({"LoadBalancer", "TargetGroup"})
    assert found["RequestCount", balancer].value == 9  # those for which a target was chosen
    assert found["RequestCountPerTarget", both].value == 4.5
    assert found["RequestCountPerTarget", frozenset({"TargetGroup"})].value == 4.5
    assert found["HTTPCode_Target_5XX_Count", both].value == 2
    assert found["HTTPCode_Target_4XX_Count", both].value == 0
    assert found["HTTPCode_ELB_5XX_Count", balancer].value == 4
    assert (found["HealthyHostCount", both].value, found["UnHealthyHostCount", both].value) == (2, 1)
    times = [(p.value, p.count) for p in _points(said, group) if p.metric.name == "TargetResponseTime"]
    assert times == [(0.01, 6), (0.5, 2)] * 2  # of the balancer, and of the target group


def test_without_registered_targets_nothing_is_told_of_a_group() -> None:
    group = Targets("group", "targetgroup/group/1", "app/site/2", healthy=0, unhealthy=0)
    assert not [point for point in _points([], group) if "TargetGroup" in dict(point.metric.dimensions)]


def test_a_clone_that_warms_up_does_not_count_for_its_group() -> None:
    found = list(cpu_points({"i-1": 80.0, "i-2": 10.0}, {"i-1": "fleet"}))
    assert [p.value for p in found if dict(p.metric.dimensions) == {"AutoScalingGroupName": "fleet"}] == [80.0]
    assert len(found) == 3


def _points(said: list[Requests], group: Targets) -> list[Point]:
    return list(request_points(said, {"site": "app/site/2"}, [group]))

"""What scaling policies ask for: in proportion out, one by one in, never out of bounds, and they come to rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.control.scaling_plan import Capacity, Tracking, adjust, scale_in, scale_out, step

ANY = st.builds(
    lambda least, more, desired, warm: Capacity(
        least, least + more, min(desired, least + more), min(warm, desired, least + more)
    ),
    st.integers(0, 5),
    st.integers(0, 20),
    st.integers(0, 25),
    st.integers(0, 25),
)


@pytest.mark.parametrize(
    ("desired", "warm", "metric", "wanted"),
    [(2, 2, 90, 4), (2, 2, 51, 3), (4, 2, 90, 4), (4, 2, 130, 6), (2, 2, 10_000, 10), (2, 0, 90, 2), (3, 3, 20, 3)],
)
def test_out_in_proportion_and_warming_clones_are_not_counted_twice(
    desired: int, warm: int, metric: float, wanted: int
) -> None:
    assert scale_out(Capacity(1, 10, desired, warm), Tracking(metric, 50)) == wanted


@pytest.mark.parametrize(
    ("desired", "warm", "metrics", "wanted"),
    [
        (4, 4, [20], 3),
        (4, 4, [20, 36], 3),
        (4, 4, [20, 40], 4),  # without one it would be 53
        (4, 3, [20], 4),  # one is warming up
        (1, 1, [0], 1),  # the least
        (2, 2, [0], 1),
    ],
)
def test_in_one_by_one_if_all_policies_keep_their_target(
    desired: int, warm: int, metrics: list[float], wanted: int
) -> None:
    assert scale_in(Capacity(1, 10, desired, warm), [Tracking(metric, 50) for metric in metrics]) == wanted


@given(ANY, st.floats(0, 10_000), st.floats(1, 100))
def test_bounds_always_hold(capacity: Capacity, metric: float, target: float) -> None:
    out = scale_out(capacity, Tracking(metric, target))
    assert capacity.desired <= out <= max(capacity.desired, capacity.most)
    assert max(0, capacity.desired - 1) <= scale_in(capacity, [Tracking(metric, target)]) <= capacity.desired
    assert scale_in(capacity, [Tracking(metric, target)]) >= min(capacity.least, capacity.desired)


@given(st.integers(1, 20), st.floats(0, 5000), st.floats(5, 90))
def test_a_steady_load_comes_to_rest_at_its_target(start: int, load: float, target: float) -> None:
    """Out and in again and again: the count stops moving, and no policy wants to take back what it did."""
    desired, seen = start, []
    for _ in range(50):
        capacity, tracking = Capacity(1, 20, desired, desired), Tracking(load / desired, target)
        seen.append(desired)
        if tracking.metric > target:
            desired = scale_out(capacity, tracking)
        elif tracking.metric < 0.9 * target:
            desired = scale_in(capacity, [tracking])
    assert len(set(seen[-10:])) == 1
    assert load / desired <= target * 1.0001 or desired == 20


@pytest.mark.parametrize(
    ("kind", "adjustment", "wanted"),
    [
        ("ChangeInCapacity", 3, 7),
        ("ChangeInCapacity", -9, 1),
        ("ExactCapacity", 99, 10),
        ("PercentChangeInCapacity", 10, 5),  # 0.4, which AWS rounds to 1
        ("PercentChangeInCapacity", 60, 6),  # 2.4
        ("PercentChangeInCapacity", -10, 3),
        ("PercentChangeInCapacity", 0, 4),
    ],
)
def test_adjustments(kind: str, adjustment: int, wanted: int) -> None:
    assert adjust(Capacity(1, 10, 4, 4), kind, adjustment) == wanted


def test_a_percent_change_moves_at_least_so_many() -> None:
    assert adjust(Capacity(1, 10, 4, 4), "PercentChangeInCapacity", 10, at_least=2) == 6


@pytest.mark.parametrize(("breach", "adjustment"), [(0, 1), (9.9, 1), (10, 3), (500, 3), (-1, -1), (-30, -2)])
def test_the_step_in_which_the_metric_lies(breach: float, adjustment: int) -> None:
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 3},
        {"MetricIntervalLowerBound": -20, "MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
        {"MetricIntervalUpperBound": -20, "ScalingAdjustment": -2},
    ]
    assert step(steps, breach) == adjustment

"""Where groups launch, whom they end, and what a refresh does next: pure functions, for every group there can be."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from local.control.capacity_plan import Placed, launch_subnets, scale_in_victims
from local.control.refresh_plan import Bounds, RefreshMember, RefreshStep, next_step, percentage, updated_at

SUBNETS = ("a", "b", "c")
placed = st.builds(
    Placed,
    instance_id=st.uuids().map(str),
    subnet=st.sampled_from(SUBNETS),
    version=st.integers(1, 3),
    launched=st.floats(0, 100),
    protected=st.booleans(),
)
groups = st.lists(placed, max_size=12, unique_by=lambda member: member.instance_id)


@given(st.integers(0, 30))
def test_launches_into_nothing_are_even(count: int) -> None:
    load = Counter(launch_subnets(SUBNETS, (), count))
    assert sum(load.values()) == count
    assert max(load[subnet] for subnet in SUBNETS) - min(load[subnet] for subnet in SUBNETS) <= 1


@given(groups, st.integers(1, 12))
def test_a_launch_never_goes_to_a_fuller_subnet(members: list[Placed], count: int) -> None:
    running = [member.subnet for member in members]
    first = launch_subnets(SUBNETS, running, count)[0]
    assert Counter(running)[first] == min(Counter(running)[subnet] for subnet in SUBNETS)


@given(groups, st.integers(0, 12))
def test_protected_instances_are_never_victims(members: list[Placed], count: int) -> None:
    victims = scale_in_victims(members, count)
    unprotected = {member.instance_id for member in members if not member.protected}
    assert len(victims) == min(count, len(unprotected))
    assert set(victims) <= unprotected


@given(groups)
def test_within_a_zone_the_oldest_template_goes_first(members: list[Placed]) -> None:
    one_zone = [Placed(m.instance_id, "a", m.version, m.launched) for m in members]
    assume(one_zone)
    (victim,) = scale_in_victims(one_zone, 1)
    chosen = next(member for member in one_zone if member.instance_id == victim)
    assert chosen.version == min(member.version for member in one_zone)


def bounds() -> st.SearchStrategy[Bounds]:
    """Those that AWS accepts."""
    pairs = st.tuples(st.integers(0, 100), st.none() | st.integers(100, 200))
    return pairs.filter(lambda pair: (pair[1] or 100) - pair[0] <= 100).map(lambda pair: Bounds(*pair))


@given(st.integers(0, 8), bounds(), st.sets(st.integers(0, 7), max_size=3), st.integers())
def test_a_refresh_ends_and_keeps_its_bounds(desired: int, limits: Bounds, checkpoints: set[int], seed: int) -> None:
    """Plays a group through a refresh with checkpoints; new instances become ready at random, any instance may fail."""
    luck = Random(seed)
    goals = [*sorted(goal for goal in checkpoints if goal < desired), desired]
    members = [RefreshMember(f"old-{number}", old=True, ready=True) for number in range(desired)]
    launched, failures, leaving = 0, luck.randrange(6), 0
    for _ in range(400):
        step = next_step(members, leaving, desired, limits, goals[0])
        leaving = 0
        if step.done and len(goals) == 1:
            break
        if step.done:
            goals.pop(0)
            continue
        launched += step.launch
        members += [RefreshMember(f"new-{launched - number}", False, False) for number in range(step.launch)]
        stay = [member for member in members if member.instance_id not in step.terminate]
        _check_bounds(members, stay, desired, limits)
        assert sum(not member.old for member in stay) <= max(goals[0], desired - sum(member.old for member in members))
        leaving, members = len(step.terminate), stay
        if failures and members and luck.random() < 0.5:
            members.pop(luck.randrange(len(members)))
            failures -= 1
        members = [RefreshMember(m.instance_id, m.old, m.ready or luck.random() < 0.5) for m in members]
    else:
        raise AssertionError("the refresh does not end")
    assert not any(member.old for member in members)
    assert len(members) == desired


def _check_bounds(before: list[RefreshMember], after: list[RefreshMember], desired: int, limits: Bounds) -> None:
    assert len(before) <= max(limits.ceiling(desired), desired)
    may_dip = limits.maximum is None and limits.floor(desired) == desired
    lowest = limits.floor(desired) - (1 if may_dip else 0)
    ready = [sum(member.ready for member in members) for members in (before, after)]
    assert ready[1] >= min(ready[0], lowest)


@given(st.integers(1, 8), st.integers(0, 8), bounds())
def test_held_instances_stay_and_the_refresh_waits_for_them(desired: int, count: int, limits: Bounds) -> None:
    held = min(count, desired)
    members = [RefreshMember(f"old-{number}", True, True, held=number < held) for number in range(desired)]
    launched = 0
    for _ in range(100):
        step = next_step(members, 0, desired, limits)
        launched += step.launch
        members += [RefreshMember(f"new-{launched - number}", False, True) for number in range(step.launch)]
        members = [member for member in members if member.instance_id not in step.terminate]
        if step == RefreshStep() or step.done:
            break
    assert step.done == (held == 0)
    assert [member.instance_id for member in members if member.old] == [f"old-{number}" for number in range(held)]
    assert len(members) == desired


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), bounds())
def test_a_refresh_follows_a_changed_capacity(old: int, new: int, desired: int, limits: Bounds) -> None:
    members = [RefreshMember(f"old-{number}", True, True) for number in range(old)]
    members += [RefreshMember(f"new-{number}", False, True) for number in range(new)]
    for turn in range(100):
        step = next_step(members, 0, desired, limits)
        if step.done:
            break
        members += [RefreshMember(f"newer-{turn}-{number}", False, True) for number in range(step.launch)]
        members = [member for member in members if member.instance_id not in step.terminate]
    assert step.done
    assert (len(members), any(member.old for member in members)) == (desired, False)


def test_a_checkpoint_replaces_no_more_than_it_asks_for() -> None:
    """AWS, "Add checkpoints to an instance refresh": at 50 percent of ten only one goes where two might."""
    members = [RefreshMember(f"{number}", old=number >= 4, ready=True) for number in range(10)]
    assert len(next_step(members, 0, 10, Bounds(80), updated_at(50, 10)).terminate) == 1


def test_a_refresh_is_not_done_while_an_instance_is_leaving() -> None:
    members = [RefreshMember("n", False, True)]
    assert not next_step(members, 1, 1, Bounds()).done
    assert next_step(members, 0, 1, Bounds()).done


@given(st.integers(0, 50), st.integers(0, 50))
def test_percentage_is_between_0_and_100(total: int, remaining: int) -> None:
    assume(remaining <= total)
    assert 0 <= percentage(total, remaining) <= 100
    assert (percentage(total, remaining) == 100) == (remaining == 0)

"""Where groups launch, whom they end, and what a refresh does next: pure functions, for every group there can be."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from local.control.capacity_plan import Placed, launch_subnets, scale_in_victims
from local.control.refresh_plan import Bounds, RefreshMember, next_step, percentage

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


bounds = st.builds(Bounds, minimum=st.integers(0, 100), maximum=st.none() | st.integers(100, 200))


@given(st.integers(0, 8), bounds, st.lists(st.booleans(), max_size=40))
def test_a_refresh_ends_and_keeps_its_bounds(desired: int, limits: Bounds, becomes_ready: list[bool]) -> None:
    """Plays a group through a refresh: new instances become ready in any order; the bounds hold at every step."""
    members = [RefreshMember(f"old-{number}", old=True, ready=True) for number in range(desired)]
    may_dip = limits.maximum is None and limits.floor(desired) == desired
    launched = 0
    luck = iter([*becomes_ready, *[True] * 200])
    for _ in range(400):
        step = next_step(members, 0, desired, limits)
        if step.done:
            break
        assert step.overdue is None
        for _ in range(step.launch):
            launched += 1
            members.append(RefreshMember(f"new-{launched}", old=False, ready=False))
        members = [member for member in members if member.instance_id not in step.terminate]
        assert len(members) <= max(limits.ceiling(desired), desired)
        lowest = limits.floor(desired) - (1 if may_dip else 0)
        assert sum(member.ready for member in members) >= lowest
        members = [
            member if member.ready or not next(luck) else RefreshMember(member.instance_id, old=False, ready=True)
            for member in members
        ]
    assert step.done
    assert not any(member.old for member in members)
    assert len(members) == desired


def test_an_overdue_instance_stops_everything() -> None:
    members = [RefreshMember("o", True, True), RefreshMember("n", False, False, overdue=True)]
    step = next_step(members, 0, 2, Bounds(100, 110))
    assert (step.overdue, step.launch, step.terminate) == ("n", 0, ())


def test_a_refresh_is_not_done_while_an_instance_is_leaving() -> None:
    members = [RefreshMember("n", False, True)]
    assert not next_step(members, 1, 1, Bounds()).done
    assert next_step(members, 0, 1, Bounds()).done


@given(st.integers(0, 50), st.integers(0, 50))
def test_percentage_is_between_0_and_100(total: int, remaining: int) -> None:
    assume(remaining <= total)
    assert 0 <= percentage(total, remaining) <= 100
    assert (percentage(total, remaining) == 100) == (remaining == 0)

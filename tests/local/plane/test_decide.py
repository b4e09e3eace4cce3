"""What is decided: for the cases that matter one by one, and for everything together by hypothesis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.plane import running as run
from local.plane.decide import (
    Action,
    Change,
    CutOff,
    ReportImpaired,
    ReportUnhealthy,
    Start,
    Stop,
    decide,
    store_statuses,
)
from local.plane.running import CRASH_LOOP, STEADY, Phase, Running, Unit, backoff
from local.plane.wanted import Clone, Database, Membership, Sidecar, Spec, Wanted
from tests.local.plane.specs import BALANCING, CLONE, MAIN, NODE, REPLICA

NOW = 1000.0


def unit(spec: Spec, phase: Phase = Phase.RUNNING, **fields: Any) -> Unit:
    return replace(Unit(spec, phase, since=NOW - 5, created=NOW - 5, started=True), **fields)


TWO_ZONES = replace(MAIN, zone="a", multi_az=True)
MOVED = replace(TWO_ZONES, zone="b")


def running(*units: Unit, **fields: frozenset[str]) -> Running:
    return Running({one.spec.name: one for one in units}, **fields)


def test_everything_that_can_start_starts() -> None:
    wanted = Wanted(databases=(MAIN, REPLICA), nodes=(NODE,), balancing=BALANCING, clones=(CLONE,))
    assert set(decide(wanted, Running(), NOW)) == {Start(MAIN), Start(NODE), Start(BALANCING), Start(CLONE)}


def test_a_replica_waits_for_its_main_and_a_sidecar_for_its_clone() -> None:
    wanted = Wanted(databases=(MAIN, REPLICA), clones=(CLONE,))
    busy = running(unit(MAIN, Phase.BUSY), unit(CLONE, Phase.BUSY))
    assert decide(wanted, busy, NOW) == ()
    up = running(unit(MAIN), unit(CLONE))
    assert decide(wanted, up, NOW) == (Start(REPLICA), Start(Sidecar(CLONE)))


def test_a_replica_that_has_its_data_needs_no_main_to_start_again() -> None:
    wanted = Wanted(databases=(MAIN, REPLICA))
    assert decide(wanted, running(unit(MAIN, Phase.BUSY), unit(REPLICA, Phase.DOWN)), NOW) == (Start(REPLICA),)


def test_a_multi_az_database_that_went_down_is_reported_and_starts_in_its_other_zone_only() -> None:
    down = running(unit(TWO_ZONES, Phase.DOWN))
    assert decide(Wanted(databases=(TWO_ZONES,)), down, NOW) == (ReportImpaired("main", "a"),)
    assert decide(Wanted(cut_off=frozenset({MAIN.name})), down, NOW) == ()
    assert decide(Wanted(databases=(MOVED,)), down, NOW) == (Start(MOVED),)


def test_a_multi_az_database_that_never_ran_is_tried_again_where_it_is() -> None:
    never = running(unit(TWO_ZONES, Phase.DOWN, started=False))
    assert decide(Wanted(databases=(TWO_ZONES,)), never, NOW) == (Start(TWO_ZONES),)


def test_who_fails_over_is_cut_off_once_and_its_replicas_go_on() -> None:
    wanted = Wanted(databases=(REPLICA,), cut_off=frozenset({MAIN.name}))
    assert decide(wanted, running(unit(TWO_ZONES), unit(REPLICA)), NOW) == (CutOff(TWO_ZONES),)
    assert decide(wanted, running(unit(TWO_ZONES, Phase.DOWN), unit(REPLICA)), NOW) == ()


def test_a_database_is_starting_until_it_runs_in_its_new_zone() -> None:
    wanted = Wanted(databases=(MOVED,))
    for phase, spec, status in (
        (Phase.DOWN, TWO_ZONES, "starting"),
        (Phase.BUSY, TWO_ZONES, "starting"),
        (Phase.RUNNING, TWO_ZONES, "starting"),
        (Phase.RUNNING, MOVED, "available"),
    ):
        assert store_statuses(wanted, running(unit(spec, phase)))["rds"] == {"main": status}


def test_a_promoted_replica_is_modified_until_it_takes_writes() -> None:
    alone = replace(REPLICA, source=None)
    for spec, status in ((REPLICA, "modifying"), (alone, "available")):
        assert store_statuses(Wanted(databases=(alone,)), running(unit(spec)))["rds"] == {"main-1": status}


def test_no_balancer_without_a_load_balancer() -> None:
    assert decide(Wanted(balancing=replace(BALANCING, load_balancers=())), Running(), NOW) == ()


def test_what_runs_as_wanted_is_left_alone() -> None:
    assert decide(Wanted(databases=(MAIN,)), running(unit(MAIN)), NOW) == ()


def test_a_changed_spec_is_changed_in_place() -> None:
    renewed = replace(MAIN, password="new")
    assert decide(Wanted(databases=(renewed,)), running(unit(MAIN)), NOW) == (Change(MAIN, renewed),)


def test_a_node_that_failed_waits_for_the_one_in_its_place_and_a_replica_for_its_primary() -> None:
    second = replace(NODE, identifier="sessions-002", primary=NODE.address)
    down = unit(NODE, Phase.DOWN)
    assert decide(Wanted(nodes=(NODE,)), running(down), NOW) == ()
    renewed = replace(NODE, created=1)
    assert decide(Wanted(nodes=(renewed,)), running(down), NOW) == (Start(renewed),)
    assert decide(Wanted(nodes=(renewed,)), running(unit(NODE)), NOW) == (Stop(NODE, forget=True),)
    assert decide(Wanted(nodes=(NODE, second)), running(down), NOW) == ()
    assert decide(Wanted(nodes=(NODE, second)), running(unit(NODE)), NOW) == (Start(second),)


def test_a_replica_takes_over_when_the_old_primary_is_gone_and_no_primary_becomes_a_replica() -> None:
    replica = replace(NODE, identifier="sessions-002", primary=NODE.address)
    heir, old = replace(replica, primary=None), replace(NODE, primary=NODE.address)
    wanted = Wanted(nodes=(old, heir))
    assert decide(wanted, running(unit(NODE), unit(replica)), NOW) == ()
    assert decide(wanted, running(unit(NODE, Phase.BUSY), unit(replica)), NOW) == ()
    assert decide(wanted, running(unit(NODE, Phase.DOWN), unit(replica)), NOW) == (Change(replica, heir),)


def test_what_went_down_starts_again_when_its_pause_is_over() -> None:
    wanted = Wanted(databases=(MAIN,))
    assert decide(wanted, running(unit(MAIN, Phase.DOWN, retry_at=NOW + 1)), NOW) == ()
    assert decide(wanted, running(unit(MAIN, Phase.DOWN, retry_at=NOW)), NOW) == (Start(MAIN),)


def test_a_deleted_database_is_forgotten_and_a_stopped_one_is_not() -> None:
    assert decide(Wanted(), running(unit(MAIN)), NOW) == (Stop(MAIN, forget=True),)
    assert decide(Wanted(paused=frozenset({MAIN.name})), running(unit(MAIN)), NOW) == (Stop(MAIN, forget=False),)


def test_a_main_stops_after_its_replicas() -> None:
    assert decide(Wanted(), running(unit(MAIN), unit(REPLICA)), NOW) == (Stop(REPLICA, forget=True),)


def test_a_clone_stops_only_when_the_balancer_let_go_of_it_and_its_sidecar_after_it() -> None:
    both = (unit(CLONE), unit(Sidecar(CLONE)))
    assert decide(Wanted(), running(*both, serving=frozenset({"i-1"})), NOW) == ()
    assert decide(Wanted(), running(*both), NOW) == (Stop(CLONE, forget=True),)
    assert decide(Wanted(), running(both[1]), NOW) == (Stop(Sidecar(CLONE), forget=True),)


def test_a_clone_that_ended_is_not_started_again_but_reported() -> None:
    member = Membership("fleet", "i-1", healthy=True)
    wanted = Wanted(clones=(CLONE,), memberships=(member,))
    ended = unit(CLONE, Phase.ENDED)
    report = ReportUnhealthy("i-1", "its process ended")
    assert decide(wanted, running(ended, healthy_once=frozenset({"i-1"})), NOW) == (report,)
    assert decide(wanted, running(ended), NOW - 1) == ()  # it may never have been able to start
    assert decide(wanted, running(ended), NOW) == (report,)
    old = running(ended, healthy_once=frozenset({"i-1"}), reported=frozenset({"i-1"}))
    assert decide(wanted, old, NOW) == ()
    unhealthy = replace(wanted, memberships=(replace(member, healthy=False),))
    assert decide(unhealthy, running(ended, healthy_once=frozenset({"i-1"})), NOW) == ()


def test_restarts_are_at_once_then_ever_slower_within_a_bound() -> None:
    pauses = [backoff(failures) for failures in range(1, 20)]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert max(pauses) == 30


def test_a_long_life_is_no_crash_loop() -> None:
    after = run.exited(unit(MAIN, since=NOW - STEADY - 1, failures=7), NOW)
    assert (after.phase, after.failures, after.retry_at) == (Phase.DOWN, 1, NOW)


def test_a_failed_start_is_tried_again_later() -> None:
    after = run.failed(unit(MAIN, Phase.BUSY), NOW, Phase.DOWN)
    assert after.phase is Phase.DOWN
    assert after.retry_at > NOW


@pytest.mark.parametrize(
    ("units", "status"),
    [
        ((), "creating"),
        ((unit(MAIN, Phase.BUSY, started=False),), "creating"),
        ((unit(MAIN),), "available"),
        ((unit(MAIN, Phase.DOWN, failures=1),), "available"),
        ((unit(MAIN, Phase.DOWN, failures=CRASH_LOOP),), "failed"),
    ],
)
def test_status_of_a_database(units: tuple[Unit, ...], status: str) -> None:
    assert store_statuses(Wanted(databases=(MAIN,)), running(*units))["rds"] == {"main": status}


def test_a_replication_group_is_available_when_all_its_nodes_are() -> None:
    second = replace(NODE, identifier="sessions-002", primary=NODE.address)
    wanted = Wanted(nodes=(NODE, second))
    assert store_statuses(wanted, running(unit(NODE)))["elasticache"] == {"sessions": "creating"}
    assert store_statuses(wanted, running(unit(NODE), unit(second)))["elasticache"] == {"sessions": "available"}


CLONES = tuple(replace(CLONE, instance_id=f"i-{n}") for n in range(3))
SPECS: tuple[Spec, ...] = (MAIN, TWO_ZONES, MOVED, REPLICA, NODE, BALANCING, *CLONES, *map(Sidecar, CLONES))
UNITS = st.lists(
    st.builds(
        Unit,
        spec=st.sampled_from(SPECS),
        phase=st.sampled_from(Phase),
        since=st.floats(0, 2000),
        created=st.floats(0, 2000),
        failures=st.integers(0, 9),
        retry_at=st.floats(0, 2000),
        started=st.booleans(),
    ),
    unique_by=lambda one: one.spec.name,
).map(lambda units: [one for one in units if one.phase is not Phase.ENDED or isinstance(one.spec, Clone)])
WANTED = st.builds(
    Wanted,
    databases=st.sampled_from([(), (MAIN,), (MAIN, REPLICA), (TWO_ZONES, REPLICA), (MOVED,)]),
    nodes=st.sampled_from([(), (replace(NODE, created=1),), (replace(NODE, users=(), created=1),)]),
    balancing=st.just(BALANCING),
    clones=st.lists(st.sampled_from(CLONES), unique=True).map(tuple),
)
SERVING = st.frozensets(st.sampled_from([clone.instance_id for clone in CLONES]))


@given(wanted=WANTED, units=UNITS, serving=SERVING)
def test_whatever_happens_no_rule_is_broken(wanted: Wanted, units: list[Unit], serving: frozenset[str]) -> None:
    state = running(*units, serving=serving)
    actions = decide(wanted, state, NOW)
    subjects = [action.spec.name for action in actions if not isinstance(action, ReportUnhealthy | ReportImpaired)]
    assert len(subjects) == len(set(subjects))
    for action in actions:
        if not isinstance(action, ReportImpaired):
            check(action, wanted, state)


def check(action: Action, wanted: Wanted, state: Running) -> None:
    assert not isinstance(action, ReportUnhealthy | ReportImpaired)
    before = state.units.get(action.spec.name)
    wanted_names = {spec.name for spec in wanted.specs}
    assert before is None or (before.phase is not Phase.BUSY and before.retry_at <= NOW)
    match action:
        case Start(spec):
            assert spec in wanted.specs
            assert before is None or before.phase is Phase.DOWN
        case Change(_, spec):
            assert before is not None
            assert before.phase is Phase.RUNNING
            assert before.spec != spec
        case Stop(Clone(instance_id=instance_id)):
            assert instance_id not in state.serving
            assert instance_id not in wanted_names
        case Stop(Database() as spec):
            assert spec.name not in wanted_names


@given(wanted=WANTED, units=UNITS)
def test_it_comes_to_rest_where_aws_wants_it(wanted: Wanted, units: list[Unit]) -> None:
    """If every action succeeds, a few passes lead to exactly what is wanted, and then nothing is left to do."""
    state = {one.spec.name: one for one in units if one.phase is not Phase.BUSY}
    now = 3000.0
    for _ in range(6):
        for action in decide(wanted, Running(state), now):
            assert not isinstance(action, ReportUnhealthy)
            if isinstance(action, ReportImpaired):
                moved = MOVED if action.zone == "a" else TWO_ZONES
                wanted = replace(wanted, databases=(moved, *wanted.databases[1:]))
                continue
            name = action.spec.name
            if isinstance(action, Stop):
                del state[name]
            else:
                state[name] = run.succeeded(run.begun(action.spec, state.get(name), now), action.spec, now)
    assert decide(wanted, Running(state), now) == ()
    ended = {one.spec for one in state.values() if one.phase is Phase.ENDED}
    without = {Sidecar(spec) for spec in ended if isinstance(spec, Clone)}
    assert {one.spec for one in state.values()} | without == set(wanted.specs) | without

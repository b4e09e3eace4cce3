"""Every state of a refresh and of the clones has one next step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from infra.provider.group import Clone, Group
from infra.provider.rollout_plan import (
    ENDING,
    UNDER_WAY,
    UNDONE,
    Refresh,
    next_step,
    on_version,
    untold,
    version_to_start,
)
from infra.provider.rollout_preferences import preferences
from infra.provider.template_versions import Goal, Version

OLD, NEW, OTHER, SAME_AS_OLD = (("lt-1", str(number)) for number in (1, 2, 3, 4))
GOAL = Goal(NEW, frozenset({NEW}))
BACK = Goal(SAME_AS_OLD, frozenset({SAME_AS_OLD, OLD}))
"""What the program wants after a failed rollout: the old content under a new number."""
OURS = "refresh-1"


def group(*clones: Version, template: Version = NEW, desired: int = 2, healthy: bool = True) -> Group:
    made = tuple(Clone(f"i-{number}", True, healthy, version) for number, version in enumerate(clones))
    return Group("g", desired, template, made)


def refresh(status: str, template: Version = NEW, id_: str = OURS, reason: str = "") -> Refresh:
    return Refresh(id_, status, reason, template, datetime.now(UTC))


def step(group_: Group, latest: Refresh | None = None, followed: str = "", objection: str = "") -> str:
    return next_step(GOAL, group_, latest, followed, objection).action


def test_a_fleet_on_the_version_is_done_once_it_is_healthy() -> None:
    assert step(group(NEW, NEW)) == "done"
    assert step(group(NEW, NEW, healthy=False)) == "wait"
    assert step(group(NEW)) == "wait"
    assert step(group(NEW, NEW, NEW)) == "wait"
    assert step(group(desired=0)) == "done"


def test_any_old_clone_and_an_old_template_start_a_refresh() -> None:
    assert step(group(OLD, OLD, template=OLD)) == "start"
    assert step(group(NEW, OLD)) == "start"
    assert step(group(NEW, NEW, template=OLD)) == "start"
    assert step(group(OLD, OLD), refresh("Successful", OLD, "before")) == "start"


@pytest.mark.parametrize("status", sorted(UNDER_WAY))
def test_a_refresh_to_the_version_is_joined_and_one_to_another_is_cancelled(status: str) -> None:
    assert step(group(OLD, NEW), refresh(status)) == "wait"
    assert step(group(OLD, NEW), refresh(status), OURS) == "wait"
    assert step(group(OLD, NEW), refresh(status, OTHER)) == "cancel"
    assert step(group(NEW, NEW), refresh(status, OTHER)) == "cancel"


@pytest.mark.parametrize("status", sorted(UNDER_WAY))
def test_what_speaks_against_the_version_turns_its_refresh_round(status: str) -> None:
    turned = next_step(GOAL, group(OLD, NEW), refresh(status), OURS, "clone i-1 is sick")
    assert (turned.action, turned.text) == ("roll_back", "rolling back: clone i-1 is sick")


@pytest.mark.parametrize("status", sorted(ENDING))
def test_a_refresh_that_is_ending_is_waited_for(status: str) -> None:
    assert step(group(OLD, NEW), refresh(status, OTHER)) == "wait"
    assert step(group(OLD, NEW), refresh(status), OURS, "clone i-1 is sick") == "wait"


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful"])
def test_our_refresh_that_did_not_succeed_fails_with_the_reason(status: str) -> None:
    ended = refresh(status, reason="Cancelled by somebody.")
    head = (
        "version 2 is rolled back" if status == "RollbackSuccessful" else f"the refresh to version 2 ended as {status}"
    )
    failed = next_step(GOAL, group(OLD, OLD, template=OLD), ended, OURS, "")
    assert (failed.action, failed.text) == ("failed", f"{head}: Cancelled by somebody")
    failed = next_step(GOAL, group(OLD, OLD, template=OLD), ended, OURS, "clone i-1 is sick")
    assert failed.text == f"{head}: clone i-1 is sick"


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful"])
def test_a_refresh_that_failed_before_does_not_stand_in_the_way(status: str) -> None:
    assert step(group(OLD, OLD), refresh(status, id_="yesterday")) == "start"


@pytest.mark.parametrize("status", sorted(UNDONE))
def test_a_rollback_that_nobody_has_told_of_is_told_once(status: str) -> None:
    assert untold(GOAL, refresh(status), told="") == OURS
    assert untold(GOAL, refresh(status), told=OURS) == ""
    # The same content deployed again later is another try.
    assert untold(Goal(OTHER, frozenset({OTHER, NEW})), refresh(status), told="") == ""


@pytest.mark.parametrize("status", ["Cancelled", "Failed", "Successful", *sorted(UNDER_WAY)])
def test_any_other_end_is_no_verdict_on_the_version(status: str) -> None:
    assert untold(GOAL, refresh(status), told="") == ""
    assert untold(GOAL, None, told="") == ""


def test_a_successful_refresh_is_not_done_before_the_last_clone_is() -> None:
    assert step(group(NEW, OLD), refresh("Successful"), OURS) == "wait"
    assert step(group(NEW, NEW, healthy=False), refresh("Successful"), OURS) == "wait"
    assert step(group(NEW, NEW), refresh("Successful"), OURS) == "done"


def test_a_version_with_the_same_content_is_no_reason_to_roll() -> None:
    rolled_back = group(OLD, OLD, template=OLD)
    assert on_version(BACK, rolled_back)
    assert next_step(BACK, rolled_back, refresh("RollbackSuccessful"), "", "").action == "done"
    half = group(OLD, NEW, template=OLD)
    assert next_step(BACK, half, refresh("Cancelled"), "", "").action == "start"
    assert version_to_start(BACK, half) == OLD, "or its clones that are right would be replaced"
    assert version_to_start(BACK, replace(half, template=NEW)) == SAME_AS_OLD


def test_progress_counts_clones() -> None:
    assert next_step(GOAL, group(NEW, OLD), refresh("InProgress"), OURS, "").text == (
        "1 of 2 clones on version 2, 2 healthy"
    )
    back = next_step(GOAL, group(NEW, OLD, template=OLD), refresh("RollbackInProgress"), OURS, "")
    assert back.text == "rolling back, 1 of 2 clones on version 1, 2 healthy"


INPUTS = {"warmUpSeconds": 5, "canarySeconds": 60, "bakeSeconds": 300, "alarmNames": ["a", "b"]}


def test_a_refresh_never_takes_a_clone_away_before_its_successor_serves_and_goes_back_by_itself() -> None:
    chosen = preferences(INPUTS, ())
    assert (chosen["MinHealthyPercentage"], chosen["MaxHealthyPercentage"], chosen["AutoRollback"]) == (100, 110, True)
    assert (chosen["InstanceWarmup"], chosen["BakeTime"]) == (5, 300)


def test_the_first_clone_is_a_canary_unless_its_time_is_nothing() -> None:
    chosen = preferences(INPUTS, ())
    assert (chosen["CheckpointPercentages"], chosen["CheckpointDelay"]) == ([1, 100], 60)
    assert not {"CheckpointPercentages", "CheckpointDelay"} & preferences({**INPUTS, "canarySeconds": 0}, ()).keys()


def test_an_alarm_that_rings_already_has_no_say() -> None:
    assert preferences(INPUTS, ())["AlarmSpecification"] == {"Alarms": ["a", "b"]}
    assert preferences(INPUTS, ["a"])["AlarmSpecification"] == {"Alarms": ["b"]}
    assert "AlarmSpecification" not in preferences(INPUTS, ["a", "b"])

"""Every state of a refresh and of the clones has one next step."""

from __future__ import annotations

import pytest

from infra.provider.group import Clone, Group
from infra.provider.rollout_plan import ENDING, UNDER_WAY, Refresh, next_step

OLD, NEW, OTHER = ("lt-1", "1"), ("lt-1", "2"), ("lt-1", "3")
OURS = "refresh-1"


def group(*clones: tuple[str, str], template: tuple[str, str] = NEW, desired: int = 2, healthy: bool = True) -> Group:
    made = tuple(Clone(f"i-{number}", True, healthy, version) for number, version in enumerate(clones))
    return Group("g", desired, template, made)


def refresh(status: str, template: tuple[str, str] = NEW, id_: str = OURS, reason: str = "") -> Refresh:
    return Refresh(id_, status, reason, template)


def step(group_: Group, latest: Refresh | None = None, followed: str | None = None) -> str:
    return next_step(NEW, group_, latest, followed).action


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


@pytest.mark.parametrize("status", sorted(ENDING))
def test_a_refresh_that_is_ending_is_waited_for(status: str) -> None:
    assert step(group(OLD, NEW), refresh(status, OTHER)) == "wait"
    assert step(group(OLD, NEW), refresh(status), OURS) == "wait"


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful"])
def test_our_refresh_that_did_not_succeed_fails_with_awss_words(status: str) -> None:
    failed = next_step(NEW, group(OLD, OLD), refresh(status, reason="i-9 did not become healthy."), OURS)
    assert failed.action == "failed"
    assert failed.text == f"the refresh to version 2 ended as {status}: i-9 did not become healthy"


@pytest.mark.parametrize("status", ["Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful"])
def test_a_refresh_that_failed_before_does_not_stand_in_the_way(status: str) -> None:
    assert step(group(OLD, OLD), refresh(status, id_="yesterday")) == "start"


def test_a_successful_refresh_is_not_done_before_the_last_clone_is() -> None:
    assert step(group(NEW, OLD), refresh("Successful"), OURS) == "wait"
    assert step(group(NEW, NEW, healthy=False), refresh("Successful"), OURS) == "wait"
    assert step(group(NEW, NEW), refresh("Successful"), OURS) == "done"


def test_progress_counts_clones() -> None:
    assert next_step(NEW, group(NEW, OLD), refresh("InProgress"), OURS).text == "1 of 2 clones on version 2, 2 healthy"

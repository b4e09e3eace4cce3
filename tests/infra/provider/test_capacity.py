"""Capacity with the real engine: the wish is applied when it changes, and at no other time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pulumi
import pytest

from goldfleet.errors import GoldfleetError
from infra.provider.capacity import truth
from infra.provider.group import Activity
from infra.provider.resources import Capacity
from tests.infra.provider.conftest import LEFT_BY_PULUMI, Desk, Fleet

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240), pytest.mark.filterwarnings(*LEFT_BY_PULUMI)]

Declare = Callable[[pulumi.ResourceOptions], None]


@pytest.fixture
def wish(fleet: Fleet) -> Callable[[int], Declare]:
    def wish(count: int) -> Declare:
        def declare(opts: pulumi.ResourceOptions) -> None:
            capacity = Capacity(
                "clones",
                group_name=fleet.name,
                desired=count,
                target_group_arn=fleet.target_group,
                opts=opts,
            )
            pulumi.export("running", capacity.running)

        return declare

    return wish


def calls(desk: Desk) -> int:
    """How often the count was set since the last look."""
    requests = desk.control.local("GET", "requests")
    desk.control.local("DELETE", "requests")
    return sum(call["action"] == "SetDesiredCapacity" for call in requests)


def test_only_a_new_wish_is_applied(desk: Desk, fleet: Fleet, wish: Callable[[int], Declare]) -> None:
    engine = desk.engine(wish(2))
    assert engine.preview()["create"] > 0
    assert fleet.described()["DesiredCapacity"] == 1
    outputs, lines = desk.up(wish(2))
    assert outputs["running"] == fleet.described()["DesiredCapacity"] == len(fleet.described()["Instances"]) == 2
    assert any("of 2 healthy" in line for line in lines.passing)
    assert calls(desk) == 1

    # Nothing changed: nothing is called.
    _, lines = desk.up(wish(2))
    assert (lines.operations["clones"], lines.kept, calls(desk)) == ("same", [], 0)

    # Scaling changed it: nothing is called, and the truth is told.
    fleet.set(4)
    calls(desk)
    _, lines = desk.up(wish(2))
    assert (lines.operations["clones"], calls(desk)) == ("same", 0)
    assert any("setting 2, running 4 (somebody's request, less than a minute ago)" in line for line in lines.kept)
    engine = desk.engine(wish(2))
    engine.refresh()
    desk.up(wish(2))
    assert (calls(desk), fleet.described()["DesiredCapacity"]) == (0, 4)

    # The person changed it: it is set.
    outputs, lines = desk.up(wish(3))
    assert (lines.operations["clones"], calls(desk), outputs["running"]) == ("update", 1, 3)
    assert len(fleet.described()["Instances"]) == 3

    desk.engine(wish(3)).destroy()
    assert (calls(desk), fleet.described()["DesiredCapacity"]) == (0, 3)


def test_what_aws_refuses_is_one_sentence(desk: Desk, wish: Callable[[int], Declare]) -> None:
    with pytest.raises(GoldfleetError, match=r"SetDesiredCapacity value 9 is above max value 6") as refused:
        desk.up(wish(9))
    assert "Traceback" not in str(refused.value)


def test_another_account_is_refused_before_anything_is_called(desk: Desk, wish: Callable[[int], Declare]) -> None:
    other = Desk(desk.project, desk.control, account="210987654321")
    desk.control.local("DELETE", "requests")
    with pytest.raises(GoldfleetError, match="the stack names account 210987654321"):
        other.up(wish(2))
    assert {call["action"] for call in desk.control.local("GET", "requests")} == {"GetCallerIdentity"}


@pytest.mark.parametrize(
    ("cause", "minutes", "words"),
    [
        ("a monitor alarm TargetTracking-web-AlarmHigh in state ALARM", 4, "(target tracking, 4 min ago)"),
        ("alarm high in state ALARM triggered policy p", 0, "(scaling policy, less than a minute ago)"),
        ("a scheduled action update", 60, "(scheduled action, 60 min ago)"),
        ("a user request explicitly set group desired capacity", 1, "(somebody's request, 1 min ago)"),
        ("an instance was taken out of service", 2, "(the group itself, 2 min ago)"),
    ],
)
def test_the_truth_names_who_and_when(cause: str, minutes: int, words: str) -> None:
    now = datetime(2026, 1, 1, 12, tzinfo=UTC)
    activity = Activity(cause, now - timedelta(minutes=minutes))
    assert truth(2, 5, [activity], now) == f"setting 2, running 5 {words}"


def test_the_truth_without_activities_is_the_counts() -> None:
    assert truth(2, 5, [], datetime.now(UTC)) == "setting 2, running 5"

"""Rollout with the real engine: every clone on the version, and `up` waits for the last one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pulumi
import pytest
from pulumi.automation import EngineEvent

from goldfleet.errors import GoldfleetError
from infra.provider.resources import Rollout
from tests.infra.provider.conftest import LEFT_BY_PULUMI, Desk, Fleet
from tests.local.control.running import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240), pytest.mark.filterwarnings(*LEFT_BY_PULUMI)]

Declare = Callable[[pulumi.ResourceOptions], None]


@pytest.fixture
def roll(fleet: Fleet) -> Callable[[int], Declare]:
    def roll(version: int) -> Declare:
        def declare(opts: pulumi.ResourceOptions) -> None:
            rollout = Rollout(
                "roll",
                group_name=fleet.name,
                launch_template_id=fleet.template,
                launch_template_version=version,
                target_group_arn=fleet.target_group,
                alarm_names=[],
                canary_seconds=0,
                bake_seconds=0,
                opts=opts,
            )
            pulumi.export("refresh", rollout.refresh_id)

        return declare

    return roll


def refreshes(fleet: Fleet) -> list[dict[str, object]]:
    answer = fleet.control.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=fleet.name)
    found: list[dict[str, object]] = answer["InstanceRefreshes"]
    return found


def test_a_fleet_that_runs_the_version_is_left_alone_and_another_version_replaces_every_clone(
    desk: Desk, fleet: Fleet, roll: Callable[[int], Declare]
) -> None:
    outputs, _ = desk.up(roll(1))
    assert outputs["refresh"] == ""
    assert refreshes(fleet) == []

    version = fleet.new_version("two")
    before = {instance["InstanceId"] for instance in fleet.described()["Instances"]}
    outputs, lines = desk.up(roll(version))
    (found,) = refreshes(fleet)
    assert (found["Status"], found["InstanceRefreshId"]) == ("Successful", outputs["refresh"])
    wanted: dict[str, object] = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "SkipMatching": True}
    wanted |= {"ScaleInProtectedInstances": "Ignore", "StandbyInstances": "Terminate"}
    assert wanted.items() <= dict(found["Preferences"]).items()  # type: ignore[call-overload]
    assert fleet.versions() == ["2"]
    assert fleet.described()["LaunchTemplate"]["Version"] == "2"
    assert not before & {instance["InstanceId"] for instance in fleet.described()["Instances"]}
    assert any("1 of 1 clones on version 2" in line for line in lines.passing)

    _, lines = desk.up(roll(version))
    assert lines.operations["roll"] == "same"

    # Half rolled behind our back: never "unchanged".
    autoscaling = fleet.control.client("autoscaling")
    template = {"LaunchTemplateId": fleet.template, "Version": "1"}
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=fleet.name, LaunchTemplate=template)
    fleet.set(2)
    assert fleet.versions() == ["1", "2"]
    _, lines = desk.up(roll(version))
    assert lines.operations["roll"] == "update"
    assert fleet.versions() == ["2", "2"]


def test_a_cancelled_up_leaves_the_refresh_and_the_next_one_joins_it(
    desk: Desk, fleet: Fleet, roll: Callable[[int], Declare]
) -> None:
    version = fleet.new_version("two")

    def interrupt(event: EngineEvent) -> None:
        if event.diagnostic_event and "clones on version" in event.diagnostic_event.message and refreshes(fleet):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises((KeyboardInterrupt, GoldfleetError)):
        desk.engine(roll(version)).up(interrupt)
    assert refreshes(fleet)[0]["Status"] in {"Pending", "InProgress"}
    engine = desk.engine(roll(version))
    engine.refresh(clear_pending_creates=True)
    outputs = engine.up()
    (found,) = refreshes(fleet)
    assert (found["Status"], found["InstanceRefreshId"]) == ("Successful", outputs["refresh"])
    assert fleet.versions() == ["2"]


def test_a_refresh_that_somebody_cancels_fails_the_up_with_the_reason_and_the_next_up_rolls(
    desk: Desk, fleet: Fleet, roll: Callable[[int], Declare]
) -> None:
    version = fleet.new_version("two")
    autoscaling = fleet.control.client("autoscaling")

    def cancel(event: EngineEvent) -> None:
        if event.diagnostic_event and "clones on version" in event.diagnostic_event.message:
            found = refreshes(fleet)
            if found and found[0]["Status"] == "InProgress":
                autoscaling.cancel_instance_refresh(AutoScalingGroupName=fleet.name)

    with pytest.raises(GoldfleetError, match=r"the refresh to version 2 ended as Cancelled") as failed:
        desk.engine(roll(version)).up(cancel)
    assert "Traceback" not in str(failed.value)
    wait_until(lambda: refreshes(fleet)[0]["Status"] == "Cancelled")
    _, lines = desk.up(roll(version))
    assert lines.operations["roll"] == "update"
    assert fleet.versions() == ["2"]

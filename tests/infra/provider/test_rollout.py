"""Rollout with the real engine: every clone on the version, and `up` waits for the last one."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence

import pulumi
import pytest
from pulumi.automation import EngineEvent

from goldfleet.errors import GoldfleetError
from infra.provider.resources import Rollout
from tests.infra.provider.conftest import LEFT_BY_PULUMI, Desk, Fleet
from tests.local.control.running import wait_until
from tests.local.control.stack import make_alarm, set_alarm

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240), pytest.mark.filterwarnings(*LEFT_BY_PULUMI)]

Declare = Callable[[pulumi.ResourceOptions], None]
Roll = Callable[..., Declare]


@pytest.fixture
def roll(fleet: Fleet) -> Roll:
    def roll(version: int, alarms: Sequence[str] = (), seconds: int = 100) -> Declare:
        def declare(opts: pulumi.ResourceOptions) -> None:
            bounds = pulumi.CustomTimeouts(create=f"{seconds}s", update=f"{seconds}s")
            rollout = Rollout(
                "roll",
                group_name=fleet.name,
                launch_template_id=fleet.template,
                launch_template_version=version,
                target_group_arn=fleet.target_group,
                alarm_names=list(alarms),
                warm_up_seconds=2,
                canary_seconds=0,
                bake_seconds=0,
                opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(custom_timeouts=bounds)),
            )
            pulumi.export("refresh", rollout.refresh_id)

        return declare

    return roll


def refreshes(fleet: Fleet) -> list[dict[str, object]]:
    answer = fleet.control.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=fleet.name)
    found: list[dict[str, object]] = answer["InstanceRefreshes"]
    return found


def test_a_fleet_that_runs_the_version_is_left_alone_and_another_version_replaces_every_clone(
    desk: Desk, fleet: Fleet, roll: Roll
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
    wanted |= {"ScaleInProtectedInstances": "Ignore", "StandbyInstances": "Terminate", "AutoRollback": True}
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


def test_a_cancelled_up_leaves_the_refresh_and_the_next_one_joins_it(desk: Desk, fleet: Fleet, roll: Roll) -> None:
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
    desk: Desk, fleet: Fleet, roll: Roll
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


def once_new(fleet: Fleet, version: int, act: Callable[[str], None]) -> Callable[[EngineEvent], None]:
    """Does something to the first clone of a version as soon as it is in service."""
    done: list[str] = []

    def on_event(event: EngineEvent) -> None:
        if event.diagnostic_event and not done:
            new = [one for one in fleet.described()["Instances"] if one["LaunchTemplate"]["Version"] == str(version)]
            done.extend(one["InstanceId"] for one in new[:1])
            for instance in done:
                act(instance)

    return on_event


def test_a_version_whose_clone_is_taken_out_is_rolled_back_with_the_reason_and_tried_again_only_on_demand(
    desk: Desk, fleet: Fleet, roll: Roll
) -> None:
    desk.up(roll(1))
    version = fleet.new_version("two")
    autoscaling = fleet.control.client("autoscaling")

    def fall_ill(instance: str) -> None:
        error = json.dumps({"level": "error", "message": "launch failed", "reason": "migration: exit code 1"})
        fleet.control.local("POST", "instances", {instance: {"console": f"booting\n{error}\n"}})
        autoscaling.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")

    with pytest.raises(GoldfleetError) as failed:
        desk.engine(roll(version)).up(once_new(fleet, version, fall_ill))
    assert re.search(r"version 2 is rolled back: clone i-\w+ was taken out of service", str(failed.value))
    assert "its console: migration: exit code 1" in str(failed.value)
    assert [one["Status"] for one in refreshes(fleet)] == ["RollbackSuccessful"]
    assert fleet.versions() == ["1"]

    # The old content under a new number: nothing rolls.
    same = fleet.new_version("")
    assert same == 3
    _, lines = desk.up(roll(same))
    assert (len(refreshes(fleet)), fleet.versions()) == (1, ["1"])
    _, lines = desk.up(roll(same))
    assert lines.operations["roll"] == "same"

    # The person wants it again: it is another try, which begins anew.
    desk.up(roll(version))
    assert [one["Status"] for one in refreshes(fleet)] == ["Successful", "RollbackSuccessful"]
    assert fleet.versions() == ["2"]


def test_a_version_whose_clone_its_group_calls_unhealthy_and_keeps_is_rolled_back_too(
    desk: Desk, fleet: Fleet, roll: Roll
) -> None:
    desk.up(roll(1))
    version = fleet.new_version("two")
    autoscaling = fleet.control.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName=fleet.name, ScalingProcesses=["ReplaceUnhealthy"])

    def fall_ill(instance: str) -> None:
        autoscaling.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")

    with pytest.raises(GoldfleetError, match=r"version 2 is rolled back: clone i-\w+ is unhealthy, says its group"):
        desk.engine(roll(version)).up(once_new(fleet, version, fall_ill))
    assert [one["Status"] for one in refreshes(fleet)] == ["RollbackSuccessful"]
    assert fleet.versions() == ["1"]


def test_a_version_that_is_never_ready_is_rolled_back_at_the_deadline(desk: Desk, fleet: Fleet, roll: Roll) -> None:
    desk.up(roll(1))
    version = fleet.new_version("two")

    fleet.control.client("autoscaling").suspend_processes(AutoScalingGroupName=fleet.name, ScalingProcesses=["Launch"])
    with pytest.raises(
        GoldfleetError, match=r"version 2 is rolled back: not all clones on the version after 4 seconds"
    ):
        desk.engine(roll(version, seconds=4)).up()
    assert [one["Status"] for one in refreshes(fleet)] == ["RollbackSuccessful"]
    assert fleet.versions() == ["1"]


def test_what_became_of_a_refresh_that_nobody_watched_is_told_once(desk: Desk, fleet: Fleet, roll: Roll) -> None:
    desk.up(roll(1))
    version = fleet.new_version("two")
    autoscaling = fleet.control.client("autoscaling")
    autoscaling.start_instance_refresh(
        AutoScalingGroupName=fleet.name,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": str(version)}},
        Preferences={"AutoRollback": True, "InstanceWarmup": 1},
    )
    autoscaling.rollback_instance_refresh(AutoScalingGroupName=fleet.name)
    wait_until(lambda: refreshes(fleet)[0]["Status"] == "RollbackSuccessful")

    with pytest.raises(GoldfleetError, match=r"version 2 is rolled back: .*user"):
        desk.up(roll(version))
    assert (len(refreshes(fleet)), fleet.versions()) == (1, ["1"])
    desk.up(roll(version))
    assert (len(refreshes(fleet)), fleet.versions()) == (2, ["2"])


def test_a_refresh_to_another_version_makes_way(desk: Desk, fleet: Fleet, roll: Roll) -> None:
    """What a crash left, or somebody else has started."""
    desk.up(roll(1))
    other, version = fleet.new_version("two"), fleet.new_version("three")
    fleet.control.client("autoscaling").start_instance_refresh(
        AutoScalingGroupName=fleet.name,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": str(other)}},
        Preferences={"InstanceWarmup": 60},
    )
    desk.up(roll(version))
    assert [one["Status"] for one in refreshes(fleet)] == ["Successful", "Cancelled"]
    assert fleet.versions() == ["3"]


@pytest.fixture
def alarm(fleet: Fleet) -> Iterator[Callable[[str], str]]:
    """`alarm(state)` puts an alarm of the fleet into a state; returns its name."""
    name = make_alarm(fleet.control, TreatMissingData="ignore")

    def turn(state: str) -> str:
        set_alarm(fleet.control, name, state, "Threshold Crossed: 11 errors.")
        return name

    yield turn
    fleet.control.client("cloudwatch").delete_alarms(AlarmNames=[name])


def test_an_alarm_turns_a_rollout_round_and_is_named(
    desk: Desk, fleet: Fleet, roll: Roll, alarm: Callable[[str], str]
) -> None:
    name = alarm("OK")
    desk.up(roll(1, [name]))
    version = fleet.new_version("two")

    def ring(instance: str) -> None:
        alarm("ALARM")

    with pytest.raises(GoldfleetError) as failed:
        desk.engine(roll(version, [name])).up(once_new(fleet, version, ring))
    assert f"version 2 is rolled back: alarm {name} rings: Threshold Crossed: 11 errors" in str(failed.value)
    assert fleet.versions() == ["1"]

    # It rings still: what is deployed to mend that is not refused because of it.
    _, lines = desk.up(roll(version, [name]))
    assert any(f"alarm {name} rings already" in line for line in lines.kept)
    assert fleet.versions() == ["2"]

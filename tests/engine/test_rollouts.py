"""The whole program with a release that is no good: it goes back, and no later change brings it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pulumi.automation import EngineEvent

from goldfleet.errors import GoldfleetError
from tests.engine.world import World
from tests.infra.provider.conftest import LEFT_BY_PULUMI

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings(*LEFT_BY_PULUMI)]

GROUP = "goldfleet-local-fleet"
ANOTHER = {"app.environment": {"COLOUR": "gold"}}


def test_a_version_that_was_rolled_back_stays_away(world: Callable[..., World]) -> None:
    stage = world("local")
    stage.engine().up()
    before = group(stage)
    autoscaling = stage.client("autoscaling")

    ill: list[str] = []

    def fall_ill(event: EngineEvent) -> None:
        if event.diagnostic_event and not ill:
            new = [one for one in group(stage)["Instances"] if one["LaunchTemplate"]["Version"] == "2"]
            ill.extend(clone["InstanceId"] for clone in new[:1])
            for instance in ill:
                autoscaling.set_instance_health(InstanceId=instance, HealthStatus="Unhealthy")

    with pytest.raises(
        GoldfleetError, match=r"version 2 is rolled back: clone i-\w+ was taken out of service"
    ) as failed:
        stage.engine(ANOTHER).up(fall_ill)
    assert failed.value.where == "rollout-refresh"
    assert ids(stage) == {clone["InstanceId"] for clone in before["Instances"]}

    # The setting is back and another one changes: the template says the old again, under a third number.
    (refresh,) = refreshes(stage)
    stage.engine({"fleet.max": 7}).up()
    assert refreshes(stage) == [refresh]
    assert ids(stage) == {clone["InstanceId"] for clone in before["Instances"]}
    assert latest_version(stage) == 3
    assert stage.touched({"fleet.max": 7}) == {}

    # What has been mended is another version, and rolls.
    stage.engine(ANOTHER).up()
    assert [one["Status"] for one in refreshes(stage)] == ["Successful", "RollbackSuccessful"]
    assert {clone["LaunchTemplate"]["Version"] for clone in group(stage)["Instances"]} == {"4"}


def group(stage: World) -> dict[str, Any]:
    names = {"AutoScalingGroupNames": [GROUP]}
    found: dict[str, Any] = stage.client("autoscaling").describe_auto_scaling_groups(**names)["AutoScalingGroups"][0]
    return found


def ids(stage: World) -> set[str]:
    return {clone["InstanceId"] for clone in group(stage)["Instances"]}


def refreshes(stage: World) -> list[dict[str, Any]]:
    answer = stage.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=GROUP)
    found: list[dict[str, Any]] = answer["InstanceRefreshes"]
    return found


def latest_version(stage: World) -> int:
    (template,) = stage.client("ec2").describe_launch_templates(LaunchTemplateNames=["goldfleet-local-clone"])[
        "LaunchTemplates"
    ]
    return int(template["LatestVersionNumber"])

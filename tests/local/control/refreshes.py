"""How tests start an instance refresh and follow it."""

from __future__ import annotations

from typing import Any

from tests.local.control.running import wait_until
from tests.local.control.stack import Fleet

ONE_BY_ONE = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "InstanceWarmup": 0}


def start(fleet: Fleet, version: str, **preferences: Any) -> str:
    desired = {"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": version}}
    answer = fleet.control.client("autoscaling").start_instance_refresh(
        AutoScalingGroupName=fleet.group,
        DesiredConfiguration=desired,
        Preferences={**ONE_BY_ONE, **preferences},
    )
    refresh_id: str = answer["InstanceRefreshId"]
    return refresh_id


def latest(fleet: Fleet) -> dict[str, Any]:
    answer = fleet.control.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=fleet.group)
    found: dict[str, Any] = answer["InstanceRefreshes"][0]
    return found


def wait_for(fleet: Fleet, status: str) -> dict[str, Any]:
    wait_until(lambda: latest(fleet)["Status"] == status)
    return latest(fleet)


def drain_until(fleet: Fleet, status: str) -> dict[str, Any]:
    """Plays the balancer: new instances are healthy, draining ones have no request in flight."""

    def reached() -> bool:
        leaving = [instance for instance, state in fleet.health().items() if state == "draining"]
        if leaving:
            fleet.report("unused", *leaving)
        new = [instance for instance, state in fleet.health().items() if state == "initial"]
        if new:
            fleet.report("healthy", *new)
        return bool(latest(fleet)["Status"] == status)

    wait_until(reached)
    return latest(fleet)


def versions(fleet: Fleet) -> list[str]:
    instances = fleet.describe()["Instances"]
    return sorted(each["LaunchTemplate"]["Version"] for each in instances if each["LifecycleState"] == "InService")

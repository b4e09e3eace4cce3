"""What AWS says of an Auto Scaling group, its clones and their health."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Clone:
    """An instance of the group.

    Args:
        id: `i-...`.
        in_service: False while it is pending or terminating.
        healthy: whether the balancer sends it requests.
        template: id and number of the launch template's version that it was launched from.
    """

    id: str
    in_service: bool
    healthy: bool
    template: tuple[str, str]


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group.

    Args:
        desired: count of clones that it wants now.
        template: id and number of the version that new clones get.
        clones: those that are not gone yet.
    """

    name: str
    desired: int
    template: tuple[str, str]
    clones: Sequence[Clone]

    @property
    def healthy(self) -> int:
        """Count of clones that serve."""
        return sum(clone.in_service and clone.healthy for clone in self.clones)

    @property
    def settled(self) -> bool:
        """True once exactly the wanted count of clones is there and serves."""
        return self.healthy == len(self.clones) == self.desired


@dataclass(frozen=True)
class Activity:
    """One thing that scaling did."""

    cause: str
    at: datetime


class Groups:
    """Reads one group.

    Args:
        autoscaling, elbv2: boto3 clients.
        name: the group's.
        target_group_arn: where its clones are registered.
    """

    def __init__(self, autoscaling: Any, elbv2: Any, name: str, target_group_arn: str) -> None:
        self._autoscaling = autoscaling
        self._elbv2 = elbv2
        self._name = name
        self._target_group_arn = target_group_arn

    def get(self) -> Group | None:
        """The group as it is now, None if it is gone."""
        answer = self._autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self._name])
        if not answer["AutoScalingGroups"]:
            return None
        group = answer["AutoScalingGroups"][0]
        healthy = self._healthy() if group["Instances"] else frozenset()
        clones = tuple(
            Clone(
                id=instance["InstanceId"],
                in_service=instance["LifecycleState"] == "InService",
                healthy=instance["InstanceId"] in healthy,
                template=_template(instance),
            )
            for instance in group["Instances"]
        )
        return Group(self._name, group["DesiredCapacity"], _template(group), clones)

    def activities(self) -> list[Activity]:
        """What scaling did last, newest first."""
        answer = self._autoscaling.describe_scaling_activities(AutoScalingGroupName=self._name, MaxRecords=20)
        return [Activity(activity.get("Cause", ""), activity["StartTime"]) for activity in answer["Activities"]]

    def _healthy(self) -> frozenset[str]:
        answer = self._elbv2.describe_target_health(TargetGroupArn=self._target_group_arn)
        return frozenset(
            described["Target"]["Id"]
            for described in answer["TargetHealthDescriptions"]
            if described["TargetHealth"]["State"] == "healthy"
        )


def _template(described: Any) -> tuple[str, str]:
    template = described.get("LaunchTemplate", {})
    return template.get("LaunchTemplateId", ""), str(template.get("Version", ""))

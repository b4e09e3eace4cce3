"""What AWS says of an Auto Scaling group, its clones and their health."""

from __future__ import annotations

import re
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
        answer: what its health check got, in AWS's words; empty while it is healthy or not checked yet.
        given_up: whether its group will replace it because it is not healthy.
    """

    id: str
    in_service: bool
    healthy: bool
    template: tuple[str, str]
    answer: str = ""
    given_up: bool = False


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
    """One thing that scaling did.

    Args:
        cause: why, in AWS's words.
        at: when it began.
        instance: id of the instance that it is about, empty if there is none.
        trouble: why it failed, empty unless it did.
    """

    cause: str
    at: datetime
    instance: str = ""
    trouble: str = ""

    @property
    def took_out_a_sick_clone(self) -> bool:
        """Whether the group ended an instance because it failed a health check, its own or the balancer's."""
        return bool(re.search(r"taken out of service .*(health.?|status )check", self.cause))


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
        targets = self._targets() if group["Instances"] else {}
        clones = tuple(
            Clone(
                id=instance["InstanceId"],
                in_service=instance["LifecycleState"] == "InService",
                healthy=targets.get(instance["InstanceId"]) == "",
                template=_template(instance),
                answer=targets.get(instance["InstanceId"]) or "",
                given_up=instance["HealthStatus"] == "Unhealthy",
            )
            for instance in group["Instances"]
        )
        return Group(self._name, group["DesiredCapacity"], _template(group), clones)

    def activities(self) -> list[Activity]:
        """What scaling did last, newest first."""
        answer = self._autoscaling.describe_scaling_activities(AutoScalingGroupName=self._name, MaxRecords=20)
        return [_activity(activity) for activity in answer["Activities"]]

    def _targets(self) -> dict[str, str | None]:
        """Instance id -> nothing wrong (empty), what its health check got, or None while it is not known."""
        answer = self._elbv2.describe_target_health(TargetGroupArn=self._target_group_arn)
        return {one["Target"]["Id"]: _answer(one["TargetHealth"]) for one in answer["TargetHealthDescriptions"]}


def _answer(health: Any) -> str | None:
    known = {"healthy": "", "unhealthy": health.get("Description") or health.get("Reason") or "no good answer"}
    return known.get(health["State"])


def _activity(described: Any) -> Activity:
    named = re.search(r"\bi-[0-9a-f]+", described.get("Description", ""))
    trouble = described.get("StatusMessage", "") if described.get("StatusCode") == "Failed" else ""
    return Activity(described.get("Cause", ""), described["StartTime"], named[0] if named else "", trouble)


def _template(described: Any) -> tuple[str, str]:
    template = described.get("LaunchTemplate", {})
    return template.get("LaunchTemplateId", ""), str(template.get("Version", ""))

"""A group's instance refreshes: the newest one, and the four things that can be done."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from infra.provider.rollout_plan import Refresh
from infra.provider.template_versions import Version


class Refreshes:
    """Of one group.

    Args:
        autoscaling: a boto3 client.
        group: the group's name.
    """

    def __init__(self, autoscaling: Any, group: str) -> None:
        self._autoscaling = autoscaling
        self._group = {"AutoScalingGroupName": group}

    def latest(self) -> Refresh | None:
        """The newest, None if there never was one."""
        answer = self._autoscaling.describe_instance_refreshes(**self._group, MaxRecords=1)
        if not answer["InstanceRefreshes"]:
            return None
        found = answer["InstanceRefreshes"][0]
        template = found.get("DesiredConfiguration", {}).get("LaunchTemplate", {})
        alarms = found.get("Preferences", {}).get("AlarmSpecification", {}).get("Alarms", ())
        return Refresh(
            id=found["InstanceRefreshId"],
            status=found["Status"],
            reason=found.get("StatusReason", ""),
            template=(template.get("LaunchTemplateId", ""), str(template.get("Version", ""))),
            started=found["StartTime"],
            alarms=tuple(alarms),
        )

    def start(self, version: Version, preferences: dict[str, Any]) -> str:
        """Starts one that replaces every clone of another version; returns its id."""
        template = {"LaunchTemplateId": version[0], "Version": version[1]}
        started = self._autoscaling.start_instance_refresh(
            **self._group,
            Strategy="Rolling",
            DesiredConfiguration={"LaunchTemplate": template},
            Preferences=preferences,
        )
        return str(started["InstanceRefreshId"])

    def cancel(self) -> None:
        """Ends the active one where it is, if there is one."""
        self._unless_over(self._autoscaling.cancel_instance_refresh)

    def roll_back(self) -> bool:
        """Turns the active one round; False if there is none."""
        return self._unless_over(self._autoscaling.rollback_instance_refresh)

    def _unless_over(self, call: Any) -> bool:
        try:
            call(**self._group)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ActiveInstanceRefreshNotFound":
                raise
            return False
        return True

"""The calls of instance refreshes, which moto lacks.

AWS, API reference "StartInstanceRefresh", "DescribeInstanceRefreshes", "CancelInstanceRefresh",
"RollbackInstanceRefresh": one refresh at a time; a rollback needs a configuration to leave and one to go back to.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.core.responses import ActionResult

from local.control.services.autoscaling_alarms import check_alarms
from local.control.services.autoscaling_calls import GroupCalls
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_preferences import complete_preferences
from local.control.services.autoscaling_refresh import Refresh
from local.control.services.autoscaling_refreshing import cancel, roll_back

UNDER_WAY = frozenset({"Pending", "InProgress", "Baking"})
EMPTY_CONFIGURATION = (
    "The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is empty. "
    "Set AutoRollback to false or specify a desired configuration and try again."
)


class RefreshCalls(GroupCalls):
    """A part of the response class in `autoscaling`."""

    def start_instance_refresh(self) -> ActionResult:
        name, backend = self._get_param("AutoScalingGroupName"), self.autoscaling_backend
        group = backend.group(name)
        if backend.active_refresh(name) is not None:
            message = "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
            raise AutoscalingClientError("InstanceRefreshInProgress", message)
        desired = self._get_param("DesiredConfiguration") or {}
        given = self._get_param("Preferences") or {}
        preferences = complete_preferences(given, group.instance_maintenance_policy, group.warmup)
        version = _version(group, desired)
        if preferences["AutoRollback"]:
            _check_auto_rollback(group, desired)
        to_replace = _to_replace(group, version, preferences)
        known = {member.instance_id for member in group.present}
        refresh = Refresh(name, preferences, desired, version, to_replace, known)
        check_alarms(group, refresh.alarms)
        backend.refreshes.insert(0, refresh)
        return ActionResult({"InstanceRefreshId": refresh.refresh_id})

    def describe_instance_refreshes(self) -> ActionResult:
        name, wanted = self._get_param("AutoScalingGroupName"), self._get_param("InstanceRefreshIds", [])
        self.autoscaling_backend.group(name)
        refreshes = [refresh for refresh in self.autoscaling_backend.refreshes if refresh.group == name]
        shown = [refresh.to_result() for refresh in refreshes if not wanted or refresh.refresh_id in wanted]
        return ActionResult({"InstanceRefreshes": shown[: self._get_int_param("MaxRecords", 50)]})

    def cancel_instance_refresh(self) -> ActionResult:
        refresh = self._active_refresh(UNDER_WAY | {"RollbackInProgress"})
        group = self.autoscaling_backend.group(refresh.group)
        cancel(group, refresh, self._get_bool_param("WaitForTransitioningInstances", True))
        return ActionResult({"InstanceRefreshId": refresh.refresh_id})

    def rollback_instance_refresh(self) -> ActionResult:
        refresh = self._active_refresh(UNDER_WAY)
        group = self.autoscaling_backend.group(refresh.group)
        if not _can_roll_back(group, refresh.desired):
            message = "A rollback needs a desired configuration, and a numbered launch template version in the group"
            raise AutoscalingClientError("IrreversibleInstanceRefresh", message)
        roll_back(group, refresh, "Rollback was requested by the user.")
        return ActionResult({"InstanceRefreshId": refresh.refresh_id})

    def _active_refresh(self, statuses: Collection[str]) -> Refresh:
        name = self._get_param("AutoScalingGroupName")
        self.autoscaling_backend.group(name)
        refresh = self.autoscaling_backend.active_refresh(name)
        if refresh is None or refresh.status not in statuses:
            message = f"No in progress or pending Instance Refresh found for Auto Scaling group {name}"
            raise AutoscalingClientError("ActiveInstanceRefreshNotFound", message)
        return refresh


def _version(group: Group, desired: dict[str, Any]) -> str:
    """The launch template version that a refresh brings; only the group's own template is known here."""
    own, wanted = group.ec2_launch_template, desired.get("LaunchTemplate") or {}
    if own is None or "MixedInstancesPolicy" in desired:
        raise ValidationError("The local control plane refreshes groups with a launch template only")
    named = {wanted.get("LaunchTemplateId", own.id), wanted.get("LaunchTemplateName", own.name)}
    if named != {own.id, own.name}:
        raise ValidationError(
            "The local control plane refreshes to another version of the group's launch template only"
        )
    return str(wanted.get("Version") or group.launch_template_version)


def _to_replace(group: Group, version: str, preferences: dict[str, Any]) -> set[str]:
    assert group.ec2_launch_template is not None
    number = group.ec2_launch_template.get_version(version).number
    ignore_protected = preferences["ScaleInProtectedInstances"] == "Ignore"
    return {
        member.instance_id
        for member in group.present
        if not (preferences["SkipMatching"] and member.version == number)
        and not (ignore_protected and member.protected_from_scale_in)
    }


def _can_roll_back(group: Group, desired: dict[str, Any]) -> bool:
    return bool(desired) and str(group.launch_template_version).isdigit()


def _check_auto_rollback(group: Group, desired: dict[str, Any]) -> None:
    if not desired:
        raise ValidationError(f"The request isn't valid. {EMPTY_CONFIGURATION}")
    if not _can_roll_back(group, desired):
        raise ValidationError(
            "The request isn't valid. The AutoRollback parameter cannot be set to true when the launch template "
            f"version of the Auto Scaling group is {group.launch_template_version}. Use a number and try again."
        )

"""Auto Scaling: the calls that moto lacks or answers too kindly, instance refreshes above all.

AWS, API reference of Auto Scaling: a group that still has instances is only deleted by force; PutScalingPolicy answers
with the policy's ARN; one refresh at a time; a rollback needs something to go back to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.autoscaling import models, urls
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    FakeAutoScalingGroup,
    FakeScalingPolicy,
    autoscaling_backends,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from local.control.extend import use_backend, use_model, use_response
from local.control.services.autoscaling_backend import Groups
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_refresh import DEFAULTS, Refresh
from local.control.services.autoscaling_refreshing import roll_back

_KEPT_AS_GIVEN = {
    "DefaultInstanceWarmup": "default_instance_warmup",
    "MaxInstanceLifetime": "max_instance_lifetime",
    "InstanceMaintenancePolicy": "instance_maintenance_policy",
    "DefaultCooldown": "default_cooldown",
    "HealthCheckGracePeriod": "health_check_grace_period",
    "TerminationPolicies": "termination_policies",
    "CapacityRebalance": "capacity_rebalance",
    "PlacementGroup": "placement_group",
}


class AutoScalingCalls(AutoScalingResponse):
    @property
    def autoscaling_backend(self) -> Groups:
        backend = super().autoscaling_backend
        assert isinstance(backend, Groups)
        return backend

    def create_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        if name in self.autoscaling_backend.autoscaling_groups:
            message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            raise AutoscalingClientError("AlreadyExists", message)
        low, high = self._get_int_param("MinSize", 0), self._get_int_param("MaxSize", 0)
        _check_bounds(low, high, self._get_int_param("DesiredCapacity", low))
        result = super().create_auto_scaling_group()
        self._keep_what_moto_drops(name)
        return result

    def update_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group = self.autoscaling_backend.group(name)
        low = self._get_int_param("MinSize", group.min_size)
        high = self._get_int_param("MaxSize", group.max_size)
        given = self._get_int_param("DesiredCapacity")
        _check_bounds(low or 0, high or 0, given if given is not None else low or 0)
        result = super().update_auto_scaling_group()
        self._keep_what_moto_drops(name)
        return result

    def delete_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group = self.autoscaling_backend.group(name)
        if group.members and not self._get_bool_param("ForceDelete", False):
            raise AutoscalingClientError(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group.",
            )
        return super().delete_auto_scaling_group()

    def describe_scaling_activities(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        groups = [self.autoscaling_backend.group(name)] if name else self._groups()
        activities = [activity for group in groups for activity in group.activities.to_results(group.name)]
        wanted = self._get_param("ActivityIds", [])
        shown = [activity for activity in activities if not wanted or activity["ActivityId"] in wanted]
        return ActionResult({"Activities": shown[: self._get_int_param("MaxRecords", 100)]})

    def disable_metrics_collection(self) -> ActionResult:
        group = self.autoscaling_backend.group(self._get_param("AutoScalingGroupName"))
        ended = self._get_param("Metrics") or group.metrics
        group.metrics = [metric for metric in group.metrics if metric not in ended]
        return EmptyResult()

    def put_scaling_policy(self) -> ActionResult:
        super().put_scaling_policy()
        policy: FakeScalingPolicy = self.autoscaling_backend.policies[self._get_param("PolicyName")]
        return ActionResult({"PolicyARN": policy.arn, "Alarms": []})

    def start_instance_refresh(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group, backend = self.autoscaling_backend.group(name), self.autoscaling_backend
        if backend.active_refresh(name) is not None:
            message = "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh."
            raise AutoscalingClientError("InstanceRefreshInProgress", message)
        desired = self._get_param("DesiredConfiguration") or {}
        preferences = _preferences(group, self._get_param("Preferences") or {})
        version = str(desired.get("LaunchTemplate", {}).get("Version") or group.launch_template_version)
        if preferences["AutoRollback"]:
            _check_can_roll_back(group, desired)
        refresh = Refresh(name, preferences, desired, version, _to_replace(group, version, preferences))
        backend.refreshes.insert(0, refresh)
        return ActionResult({"InstanceRefreshId": refresh.refresh_id})

    def describe_instance_refreshes(self) -> ActionResult:
        name, wanted = self._get_param("AutoScalingGroupName"), self._get_param("InstanceRefreshIds", [])
        self.autoscaling_backend.group(name)
        refreshes = [refresh for refresh in self.autoscaling_backend.refreshes if refresh.group == name]
        shown = [refresh.to_result() for refresh in refreshes if not wanted or refresh.refresh_id in wanted]
        return ActionResult({"InstanceRefreshes": shown[: self._get_int_param("MaxRecords", 50)]})

    def cancel_instance_refresh(self) -> ActionResult:
        refresh = self._active_refresh()
        refresh.turn_status("Cancelling", "Cancellation was requested by the user.")
        return ActionResult({"InstanceRefreshId": refresh.refresh_id})

    def rollback_instance_refresh(self) -> ActionResult:
        refresh = self._active_refresh()
        group = self.autoscaling_backend.group(refresh.group)
        _check_can_roll_back(group, refresh.desired)
        roll_back(group, refresh, "Rollback was requested by the user.")
        return ActionResult({"InstanceRefreshId": refresh.refresh_id})

    def _active_refresh(self) -> Refresh:
        name = self._get_param("AutoScalingGroupName")
        self.autoscaling_backend.group(name)
        refresh = self.autoscaling_backend.active_refresh(name)
        if refresh is None or refresh.status not in {"Pending", "InProgress", "Baking", "RollbackInProgress"}:
            message = f"No in progress or pending Instance Refresh found for Auto Scaling group {name}"
            raise AutoscalingClientError("ActiveInstanceRefreshNotFound", message)
        return refresh

    def _groups(self) -> Iterator[Group]:
        return map(self.autoscaling_backend.group, list(self.autoscaling_backend.autoscaling_groups))

    def _keep_what_moto_drops(self, name: str) -> None:
        group, params = self.autoscaling_backend.group(name), self._get_params()
        for key, attribute in _KEPT_AS_GIVEN.items():
            if key in params:
                setattr(group, attribute, params[key])


def _check_bounds(low: int, high: int, desired: int) -> None:
    if low > high:
        raise ValidationError(f"Max bound, {high}, must be greater than or equal to min bound, {low}")
    if not low <= desired <= high:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        )


def _preferences(group: Group, given: dict[str, Any]) -> dict[str, Any]:
    """A refresh's preferences with AWS's defaults, checked."""
    if "MaxHealthyPercentage" in given and "MinHealthyPercentage" not in given:
        raise ValidationError("You must specify MinHealthyPercentage together with MaxHealthyPercentage")
    if given.get("CheckpointPercentages") and given["CheckpointPercentages"][-1] != 100:
        raise ValidationError("The last checkpoint must be 100 to replace all instances")
    warmup = group.default_instance_warmup
    if warmup is None:
        warmup = group.health_check_grace_period
    policy = group.instance_maintenance_policy or {"MinHealthyPercentage": 90}
    preferences = {**DEFAULTS, **policy, "InstanceWarmup": warmup or 0, **given}
    if preferences.get("MaxHealthyPercentage", 100) - preferences["MinHealthyPercentage"] > 100:
        raise ValidationError("MaxHealthyPercentage and MinHealthyPercentage differ by more than 100")
    return preferences


def _to_replace(group: Group, version: str, preferences: dict[str, Any]) -> set[str]:
    if group.ec2_launch_template is None:
        raise ValidationError("An instance refresh needs a launch template")
    number = group.ec2_launch_template.get_version(version).number
    ignore_protected = preferences["ScaleInProtectedInstances"] == "Ignore"
    return {
        member.instance_id
        for member in group.in_service
        if not (preferences["SkipMatching"] and member.version == number)
        and not (ignore_protected and member.protected_from_scale_in)
    }


def _check_can_roll_back(group: Group, desired: dict[str, Any]) -> None:
    if not desired or not str(group.launch_template_version).isdigit():
        message = (
            "A rollback needs a desired configuration, and a numbered launch template version in the Auto Scaling group"
        )
        raise AutoscalingClientError("IrreversibleInstanceRefresh", message)


def settle() -> bool:
    """One look at every group of every account and region; True if anything was done."""
    backends = [backend for account in autoscaling_backends.values() for backend in account.values()]
    return any([backend.settle() for backend in backends if isinstance(backend, Groups)])  # noqa: C419  all of them


def install() -> None:
    """Puts this file in moto's place."""
    use_model(FakeAutoScalingGroup, Group, models)
    use_backend(autoscaling_backends, Groups)
    use_response(urls, AutoScalingResponse, AutoScalingCalls)

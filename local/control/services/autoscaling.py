"""Auto Scaling: the calls that moto lacks or answers too kindly; those of refreshes are in a file of their own.

AWS, API reference of Auto Scaling: a group that still has instances is only deleted by force; PutScalingPolicy answers
with the policy's ARN; the template cannot be changed while a refresh with a desired configuration is active.
"""

from __future__ import annotations

from collections.abc import Iterator

from moto.autoscaling import models, urls
from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    FakeAutoScalingGroup,
    LifecycleHook,
    autoscaling_backends,
)
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from local.control.extend import use_backend, use_model, use_response
from local.control.services.autoscaling_backend import Groups
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_hook_calls import HookCalls
from local.control.services.autoscaling_hooks import Hook
from local.control.services.autoscaling_policies import PolicyCalls
from local.control.services.autoscaling_refresh_calls import RefreshCalls

SHORTEST_LIFETIME = 86400
"""Seconds."""

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


class AutoScalingCalls(PolicyCalls, RefreshCalls, HookCalls):
    def create_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        if name in self.autoscaling_backend.autoscaling_groups:
            message = f"AutoScalingGroup by this name already exists - A group with the name {name} already exists"
            raise AutoscalingClientError("AlreadyExists", message)
        low, high = self._get_int_param("MinSize", 0), self._get_int_param("MaxSize", 0)
        _check_bounds(low, high, self._get_int_param("DesiredCapacity", low))
        self._check_lifetime()
        self.put_hooks_of_new_group(name)
        result = super().create_auto_scaling_group()
        self._keep_what_moto_drops(name)
        return result

    def update_auto_scaling_group(self) -> ActionResult:
        name = self._get_param("AutoScalingGroupName")
        group = self.autoscaling_backend.group(name)
        low = self._get_int_param("MinSize", group.min_size)
        high = self._get_int_param("MaxSize", group.max_size)
        given = self._get_int_param("DesiredCapacity")
        self._check_configuration_is_free(name)
        _check_bounds(low or 0, high or 0, given if given is not None else low or 0)
        self._check_lifetime()
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

    def _check_configuration_is_free(self, name: str) -> None:
        refresh = self.autoscaling_backend.active_refresh(name)
        if refresh is not None and refresh.desired and self._get_param("LaunchTemplate"):
            raise ValidationError(
                "An active instance refresh with a desired configuration exists. All configuration options derived "
                "from the desired configuration are not available for update while the instance refresh is active."
            )

    def _check_lifetime(self) -> None:
        lifetime = self._get_int_param("MaxInstanceLifetime", 0)
        if 0 < lifetime < SHORTEST_LIFETIME:
            raise ValidationError(f"MaxInstanceLifetime must be 0 or at least {SHORTEST_LIFETIME} seconds")

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


def settle() -> bool:
    """One look at every group of every account and region; True if anything was done."""
    backends = [backend for account in autoscaling_backends.values() for backend in account.values()]
    return any([backend.settle() for backend in backends if isinstance(backend, Groups)])  # noqa: C419  all of them


def install() -> None:
    """Puts this file in moto's place."""
    use_model(FakeAutoScalingGroup, Group, models)
    use_model(LifecycleHook, Hook, models)
    use_backend(autoscaling_backends, Groups)
    use_response(urls, AutoScalingResponse, AutoScalingCalls)

"""The calls of lifecycle hooks; moto keeps hooks and never acts on them.

AWS, API reference "PutLifecycleHook", "DeleteLifecycleHook", "CompleteLifecycleAction",
"RecordLifecycleActionHeartbeat", "DescribeLifecycleHookTypes".
"""

from __future__ import annotations

import time
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.core.responses import ActionResult, EmptyResult

from local.control.services.autoscaling_calls import GroupCalls
from local.control.services.autoscaling_hooks import LAUNCHING, TERMINATING, LifecycleAction
from local.control.services.autoscaling_member import PENDING

_KEPT = {
    "lifecycle_transition": "LifecycleTransition",
    "heartbeat_timeout": "HeartbeatTimeout",
    "default_result": "DefaultResult",
    "role_arn": "RoleARN",
    "notification_target_arn": "NotificationTargetARN",
    "notification_metadata": "NotificationMetadata",
}


class HookCalls(GroupCalls):
    """A part of the response class in `autoscaling`."""

    def put_lifecycle_hook(self) -> ActionResult:
        group = self._get_param("AutoScalingGroupName")
        self.autoscaling_backend.group(group)
        self._put(group, self._get_params())
        return EmptyResult()

    def put_hooks_of_new_group(self, group: str) -> None:
        """Puts the hooks that CreateAutoScalingGroup names, before the first instance is launched."""
        for specification in self._get_param("LifecycleHookSpecificationList", []):
            self._put(group, specification)

    def delete_lifecycle_hook(self) -> ActionResult:
        group, name = self._get_param("AutoScalingGroupName"), self._get_param("LifecycleHookName")
        for member in self.autoscaling_backend.group(group).members:
            for action in member.actions:
                if action.hook == name:
                    action.answer = "ABANDON" if member.lifecycle_state == PENDING else "CONTINUE"
        return super().delete_lifecycle_hook()

    def describe_lifecycle_hook_types(self) -> ActionResult:
        return ActionResult({"LifecycleHookTypes": [LAUNCHING, TERMINATING]})

    def complete_lifecycle_action(self) -> ActionResult:
        result = self._get_param("LifecycleActionResult")
        if result not in {"CONTINUE", "ABANDON"}:
            raise ValidationError("LifecycleActionResult must be CONTINUE or ABANDON")
        self._action().answer = result
        return EmptyResult()

    def record_lifecycle_action_heartbeat(self) -> ActionResult:
        self._action().beat(time.monotonic())
        return EmptyResult()

    def _put(self, group: str, given: dict[str, Any]) -> None:
        """Puts a hook; of one that is there, what is not given stays as it is."""
        name, backend = given["LifecycleHookName"], self.autoscaling_backend
        old = {key: getattr(hook, key) for hook in backend.describe_lifecycle_hooks(group, [name]) for key in _KEPT}
        hook = backend.create_lifecycle_hook(
            name,
            group,
            given.get("LifecycleTransition", old.get("lifecycle_transition", "")),
            given.get("HeartbeatTimeout", old.get("heartbeat_timeout")),
            given.get("DefaultResult", old.get("default_result", "ABANDON")),
        )
        for attribute, key in _KEPT.items():
            if key in given or attribute in old:
                setattr(hook, attribute, given.get(key, old.get(attribute)))

    def _action(self) -> LifecycleAction:
        """The wait that a call is about; ValidationError if there is none."""
        token, instance_id = self._get_param("LifecycleActionToken"), self._get_param("InstanceId")
        name = self._get_param("LifecycleHookName")
        for member in self.autoscaling_backend.group(self._get_param("AutoScalingGroupName")).members:
            for action in member.actions:
                if action.hook == name and (action.token == token if token else member.instance_id == instance_id):
                    return action
        known = f"token {token}" if token else f"instance ID {instance_id}"
        raise ValidationError(f"No active Lifecycle Action found with {known}")

"""The groups of one account and region, their policies and refreshes: bounds are kept, and every look settles them.

AWS, API reference "SetDesiredCapacity": a desired capacity outside minimum and maximum is refused.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import (
    AutoScalingBackend,
    DetachInstanceActivity,
    EnterStandbyActivity,
    ExitStandbyActivity,
    TerminateInstanceActivity,
)

from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_member import Member
from local.control.services.autoscaling_refresh import Refresh
from local.control.services.autoscaling_refreshing import move_on
from local.control.services.autoscaling_replacing import keep_whole


class Groups(AutoScalingBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.refreshes: list[Refresh] = []

    def group(self, name: str) -> Group:
        """The group of that name; ValidationError if there is none."""
        group = self.autoscaling_groups.get(name)
        if not isinstance(group, Group):
            raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
        return group

    def active_refresh(self, name: str) -> Refresh | None:
        """The refresh that is under way in a group, if there is one."""
        return next((refresh for refresh in self.refreshes if refresh.group == name and refresh.active), None)

    def settle(self) -> bool:
        """One look at every group; True if anything was done."""
        return any([self._settle(self.group(name)) for name in list(self.autoscaling_groups)])  # noqa: C419  all of them

    def set_desired_capacity(self, group_name: str, desired_capacity: int | None) -> None:
        group, wanted = self.group(group_name), desired_capacity or 0
        if wanted > (group.max_size or 0):
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} for the AutoScalingGroup."
            )
        if wanted < (group.min_size or 0):
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} for the AutoScalingGroup."
            )
        if wanted != group.desired_capacity:
            group.activities.wish(
                "a user request explicitly set group desired capacity changing the desired capacity "
                f"from {group.desired_capacity} to {wanted}."
            )
        super().set_desired_capacity(group_name, wanted)

    def execute_policy(self, group_name: str) -> None:
        policy = self.policies[group_name]
        group = self.group(policy.auto_scaling_group_name)
        before = group.desired_capacity
        super().execute_policy(group_name)
        group.activities.wish(
            f"a user request executed policy {policy.name} changing the desired capacity "
            f"from {before} to {group.desired_capacity}."
        )

    def notify_terminate_instances(self, instance_ids: list[str]) -> None:
        """Somebody else terminated instances: the next look notices it."""

    def update_attached_target_groups(self, group_name: str) -> None:
        group = self.group(group_name)
        for member in group.in_service:
            group.register_targets(member)

    def set_instance_health(self, instance_id: str, health_status: str) -> None:
        self._member(instance_id)[1].health_status = health_status

    def terminate_instance(self, instance_id: str, should_decrement: bool) -> TerminateInstanceActivity:
        group, member = self._member(instance_id)
        original = group.desired_capacity or 0
        if member.leaving:
            raise AutoscalingClientError("ScalingActivityInProgress", f"Instance {instance_id} is already terminating.")
        if should_decrement:
            self._decrement(group, 1, "Terminating")
        group.terminate(instance_id, "an instance was taken out of service in response to a user request.")
        return TerminateInstanceActivity(self.ec2_backend.get_instance(instance_id), original)

    def detach_instances(
        self, group_name: str, instance_ids: list[str], should_decrement: bool
    ) -> list[DetachInstanceActivity]:
        group = self.group(group_name)
        members = self._in_state(group, instance_ids, {"InService", "Standby"})
        if should_decrement:
            self._decrement(group, len(members), "Detaching")
        for member in members:
            group.deregister_targets(member)
        return super().detach_instances(group_name, instance_ids, should_decrement=False)

    def enter_standby_instances(
        self, group_name: str, instance_ids: list[str], should_decrement: bool
    ) -> list[EnterStandbyActivity]:
        group = self.group(group_name)
        members = self._in_state(group, instance_ids, {"InService"})
        if should_decrement:
            self._decrement(group, len(members), "Moving to Standby")
        for member in members:
            group.deregister_targets(member)
        return super().enter_standby_instances(group_name, instance_ids, should_decrement=False)

    def exit_standby_instances(self, group_name: str, instance_ids: list[str]) -> list[ExitStandbyActivity]:
        group = self.group(group_name)
        members = self._in_state(group, instance_ids, {"Standby"})
        if (group.desired_capacity or 0) + len(members) > (group.max_size or 0):
            raise ValidationError("Moving instances out of Standby would violate group's max size constraint.")
        activities = super().exit_standby_instances(group_name, instance_ids)
        for member in members:
            member.launched = time.monotonic()
            group.register_targets(member)
        return activities

    def delete_auto_scaling_group(self, group_name: str) -> None:
        group = self.group(group_name)
        for member in group.members:
            group.forget(member)
            if member.instance.state != "terminated":
                self.ec2_backend.terminate_instances([member.instance_id])
            self.elbv2_backend.notify_terminate_instances([member.instance_id])
        self.refreshes = [refresh for refresh in self.refreshes if refresh.group != group_name]
        self.policies = {k: v for k, v in self.policies.items() if v.auto_scaling_group_name != group_name}
        for hook in self.describe_lifecycle_hooks(group_name):
            self.delete_lifecycle_hook(group_name, hook.name)
        del self.autoscaling_groups[group_name]

    def _member(self, instance_id: str) -> tuple[Group, Member]:
        for group in map(self.group, self.autoscaling_groups):
            for member in group.members:
                if member.instance_id == instance_id:
                    return group, member
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")

    def _in_state(self, group: Group, instance_ids: list[str], states: Collection[str]) -> list[Member]:
        """The group's instances of these ids; ValidationError if one is not there or in another state."""
        found = {member.instance_id: member for member in group.members}
        for instance_id in instance_ids:
            if instance_id not in found:
                raise ValidationError(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
            if found[instance_id].lifecycle_state not in states:
                raise ValidationError(f"The instance {instance_id} is not in {' or '.join(sorted(states))}.")
        return [found[instance_id] for instance_id in instance_ids]

    def _decrement(self, group: Group, count: int, doing: str) -> None:
        desired, least = group.desired_capacity or 0, group.min_size or 0
        if desired - count < least:
            raise ValidationError(
                f"Currently, desiredSize is {desired} and minSize is {least}. {doing} {count} instance(s) without "
                "replacement will violate group's min size constraint. Either set shouldDecrement flag to false or "
                "lower group's min size."
            )
        group.desired_capacity = desired - count

    def _settle(self, group: Group) -> bool:
        refresh = self.active_refresh(group.name)
        changed = [group.finish_leaving(), group.finish_waiting()]
        if refresh is not None:
            changed.append(move_on(group, refresh))
        changed.append(group.look_after_health())
        if refresh is None or group.is_suspended("InstanceRefresh"):
            changed.append(keep_whole(group))
        elif refresh.status not in {"InProgress", "RollbackInProgress"}:
            changed.append(group.keep_capacity())
        return any(changed)

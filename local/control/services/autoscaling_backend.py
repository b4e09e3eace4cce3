"""The groups of one account and region, their policies and refreshes: bounds are kept, and every look settles them.

AWS, API reference "SetDesiredCapacity": a desired capacity outside minimum and maximum is refused.
"""

from __future__ import annotations

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, TerminateInstanceActivity

from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_refresh import Refresh
from local.control.services.autoscaling_refreshing import move_on


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

    def terminate_instance(self, instance_id: str, should_decrement: bool) -> TerminateInstanceActivity:
        for group in map(self.group, self.autoscaling_groups):
            if instance_id in {member.instance_id for member in group.in_service}:
                original = group.desired_capacity or 0
                if should_decrement:
                    group.desired_capacity = original - 1
                group.terminate(instance_id, "an instance was taken out of service in response to a user request.")
                return TerminateInstanceActivity(self.ec2_backend.get_instance(instance_id), original)
        raise ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")

    def delete_auto_scaling_group(self, group_name: str) -> None:
        group = self.group(group_name)
        for member in group.members:
            group.forget(member)
            if member.instance.state != "terminated":
                self.ec2_backend.terminate_instances([member.instance_id])
            self.elbv2_backend.notify_terminate_instances([member.instance_id])
        self.refreshes = [refresh for refresh in self.refreshes if refresh.group != group_name]
        self.policies = {k: v for k, v in self.policies.items() if v.auto_scaling_group_name != group_name}
        del self.autoscaling_groups[group_name]

    def _settle(self, group: Group) -> bool:
        refresh = self.active_refresh(group.name)
        changed = [group.finish_leaving()]
        if refresh is not None:
            changed.append(move_on(group, refresh))
        changed.append(group.look_after_health())
        refreshing = refresh is not None and refresh.status in {"InProgress", "RollbackInProgress"}
        if not refreshing or group.is_suspended("InstanceRefresh"):
            changed.append(group.keep_capacity())
        return any(changed)

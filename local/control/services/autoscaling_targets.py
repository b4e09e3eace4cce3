"""A group behind target groups: registers its instances there and takes their health for its own.

AWS, "Use Elastic Load Balancing to distribute incoming application traffic in your Auto Scaling group" and "Health
checks for instances in an Auto Scaling group".
"""

from __future__ import annotations

import time

from moto.autoscaling.models import FakeAutoScalingGroup

from local.control.services.autoscaling_member import Member
from local.control.services.elbv2 import WatchedTargetGroup


class BalancedGroup(FakeAutoScalingGroup):
    def register_targets(self, member: Member) -> None:
        """Registers an instance with every target group of the group."""
        if self.is_suspended("AddToLoadBalancer"):
            return
        for group in self.target_groups():
            if member.instance_id not in group.targets:
                group.register([{"Id": member.instance_id, "Port": group.port}])

    def deregister_targets(self, member: Member) -> None:
        """Takes an instance out of every target group of the group."""
        for group in self.target_groups():
            if member.instance_id in group.targets:
                group.deregister([{"Id": member.instance_id}])

    def target_groups(self) -> list[WatchedTargetGroup]:
        """The group's target groups that still exist."""
        known = self.autoscaling_backend.elbv2_backend.target_groups
        found = [known.get(arn) for arn in self.target_group_arns]
        return [group for group in found if isinstance(group, WatchedTargetGroup)]

    def is_healthy(self, member: Member) -> bool:
        """True if the instance is in service and passes the health checks of all its target groups."""
        in_service = member.lifecycle_state == "InService"
        return in_service and all(state == "healthy" for state in self.target_states(member))

    def past_grace(self, member: Member) -> bool:
        """True if failing health checks count."""
        return time.monotonic() >= member.launched + (self.health_check_grace_period or 0)

    def sickness(self, member: Member) -> str | None:
        """What is wrong with an instance, in AWS's words; None if it is healthy."""
        checked = not self.is_suspended("HealthCheck")
        if checked and member.instance.state != "running":
            return "an EC2 health check indicating it has been terminated or stopped"
        if member.health_status == "Unhealthy":
            return "a user health-check"
        by_balancer = checked and self.health_check_type == "ELB" and member.lifecycle_state == "InService"
        if by_balancer and self.past_grace(member) and "unhealthy" in self.target_states(member):
            return "an ELB system health check failure"
        return None

    def target_states(self, member: Member) -> list[str]:
        """State of an instance in each of its target groups."""
        target = {"Id": member.instance_id}
        return [group.health_for(target, self.ec2_backend).status for group in self.target_groups()]

    def is_draining(self, member: Member) -> bool:
        """True while a target group lets requests to an instance finish."""
        return any(member.instance_id in group.draining for group in self.target_groups())

    def is_suspended(self, process: str) -> bool:
        """True if a process, for example `Launch`, is suspended."""
        return process in self._suspended_processes

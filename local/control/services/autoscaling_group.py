"""An Auto Scaling group that keeps itself at its desired capacity: launch, health, drain, replace, refresh.

`step` is one look: it does what is due and returns at once. AWS, "Amazon EC2 Auto Scaling instance lifecycle",
"Health checks for instances in an Auto Scaling group", "Use Elastic Load Balancing".
"""

from __future__ import annotations

import time
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG, FakeAutoScalingGroup, InstanceState
from moto.core.exceptions import ServiceException
from moto.ec2.models.instances import Instance

from local.control.capacity_plan import Placed, launch_subnets, scale_in_victims
from local.control.services.autoscaling_activities import Activities, ScalingActivity
from local.control.services.elbv2 import WatchedTargetGroup

RETRY = 5.0
"""Seconds until a launch that EC2 refused is tried again."""


class Member(InstanceState):
    """An instance of a group, with the launch template version that it was launched with."""

    def __init__(self, instance: Instance, group: Group, version: int) -> None:
        protected = group.new_instances_protected_from_scale_in
        super().__init__(instance, protected_from_scale_in=protected, autoscaling_group=group)
        self.version = version
        self.launched = time.monotonic()
        self.leaving: ScalingActivity | None = None

    @property
    def launch_template(self) -> dict[str, Any] | None:
        shown = super().launch_template
        return None if shown is None else {**shown, "Version": str(self.version)}

    @property
    def placed(self) -> Placed:
        protected = bool(self.protected_from_scale_in)
        return Placed(self.instance_id, self.instance.subnet_id or "", self.version, self.launched, protected)

    @property
    def details(self) -> dict[str, str]:
        return {"Subnet ID": self.instance.subnet_id or "", "Availability Zone": self.availability_zone or ""}


class Group(FakeAutoScalingGroup):
    """A group; `instance_states` holds `Member`s, those in service and those that are leaving."""

    default_instance_warmup: int | None = None
    max_instance_lifetime: int | None = None
    instance_maintenance_policy: dict[str, int] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.activities = Activities()
        self.refresh_version: str | None = None
        self._launch_after = 0.0
        super().__init__(*args, **kwargs)

    @property
    def members(self) -> list[Member]:
        return [state for state in self.instance_states if isinstance(state, Member)]

    @property
    def in_service(self) -> list[Member]:
        return [member for member in self.members if member.lifecycle_state == "InService"]

    @property
    def in_standby(self) -> list[Member]:
        return [member for member in self.members if member.lifecycle_state == "Standby"]

    def leaves_first(self, member: Member) -> tuple[int, float]:
        """Sorts instances in service: those of the fullest subnet first, then the oldest."""
        subnets = [each.placed.subnet for each in self.in_service]
        return -subnets.count(member.placed.subnet), member.launched

    def set_desired_capacity(self, new_capacity: int | None) -> None:
        self.desired_capacity = self.min_size if new_capacity is None else new_capacity

    def update(self, *args: Any, **kwargs: Any) -> None:
        before = self.desired_capacity
        super().update(*args, **kwargs)
        bounded = max(self.min_size or 0, min(self.max_size or 0, self.desired_capacity or 0))
        self.desired_capacity = bounded
        if bounded != before:
            self.activities.wish(
                f"a user request update of AutoScalingGroup constraints to min: {self.min_size}, max: {self.max_size}, "
                f"desired: {bounded} changing the desired capacity from {before} to {bounded}."
            )

    def keep_capacity(self) -> bool:
        """Launches what is missing, ends what is too much; True if there was anything to do."""
        missing = (self.desired_capacity or 0) - len(self.in_service)
        if missing > 0:
            return self.launch(missing) > 0
        victims = scale_in_victims([member.placed for member in self.in_service], -missing)
        for instance_id in victims:
            count = len(self.in_service)
            self.terminate(
                instance_id,
                "an instance was taken out of service in response to a difference between desired and actual capacity, "
                f"shrinking the capacity from {count} to {count - 1}.",
            )
        return bool(victims)

    def look_after_health(self) -> bool:
        """Ends instances that are not healthy, so that they are replaced; True if there was one."""
        sick = [(member, cause) for member in self.in_service if (cause := self._sickness(member))]
        if self.is_suspended("ReplaceUnhealthy"):
            return False
        for member, cause in sick:
            member.health_status = "Unhealthy"
            self.terminate(member.instance_id, f"an instance was taken out of service in response to {cause}.")
        return bool(sick)

    def finish_leaving(self) -> bool:
        """Terminates instances whose targets have drained; True if there was one."""
        drained = [member for member in self.members if member.leaving and not self._is_draining(member)]
        for member in drained:
            self.forget(member)
            if member.instance.state != "terminated":
                self.ec2_backend.terminate_instances([member.instance_id])
            self.autoscaling_backend.elbv2_backend.notify_terminate_instances([member.instance_id])
        return bool(drained)

    def launch(self, count: int) -> int:
        """Launches instances evenly over the subnets; returns how many there are."""
        if self.is_suspended("Launch") or time.monotonic() < self._launch_after:
            return 0
        subnets = (self.vpc_zone_identifier or "").split(",")
        running = [member.placed.subnet for member in self.in_service]
        launched = 0
        for subnet in launch_subnets(subnets, running, count):
            try:
                member = self._run_instance(subnet)
            except ServiceException as error:
                self._launch_after = time.monotonic() + RETRY
                self.activities.launch_failed(str(error.message), {"Subnet ID": subnet})
                break
            self.instance_states.append(member)
            self.register_targets(member)
            after = len(self.in_service)
            self.activities.launched(member.instance_id, member.details, after - 1, after)
            launched += 1
        return launched

    def terminate(self, instance_id: str, reason: str) -> ScalingActivity | None:
        """Takes an instance out of its target groups; it ends when they have drained."""
        if self.is_suspended("Terminate"):
            return None
        member = next(member for member in self.members if member.instance_id == instance_id)
        member.lifecycle_state = "Terminating"
        member.leaving = self.activities.terminating(instance_id, member.details, reason)
        for group in self.target_groups():
            if instance_id in group.targets:
                group.deregister([{"Id": instance_id}])
        return member.leaving

    def forget(self, member: Member) -> None:
        """Removes an instance from the group."""
        self.instance_states = [state for state in self.instance_states if state is not member]
        if member.leaving is not None:
            member.leaving.finish()

    def register_targets(self, member: Member) -> None:
        """Registers an instance with every target group of the group."""
        for group in self.target_groups():
            if member.instance_id not in group.targets:
                group.register([{"Id": member.instance_id, "Port": group.port}])

    def target_groups(self) -> list[WatchedTargetGroup]:
        """The group's target groups that still exist."""
        known = self.autoscaling_backend.elbv2_backend.target_groups
        found = [known.get(arn) for arn in self.target_group_arns]
        return [group for group in found if isinstance(group, WatchedTargetGroup)]

    def is_healthy(self, member: Member) -> bool:
        """True if the instance passes the health checks of all its target groups."""
        return all(state == "healthy" for state in self.target_states(member))

    def past_grace(self, member: Member) -> bool:
        """True if failing health checks count."""
        return time.monotonic() >= member.launched + (self.health_check_grace_period or 0)

    def _run_instance(self, subnet: str) -> Member:
        template, version = self.ec2_launch_template, self.refresh_version or self.launch_template_version
        if template is None:
            raise ServiceException("ValidationError", "The local control plane launches from launch templates only")
        number = template.get_version(version).number
        reservation = self.ec2_backend.run_instances(
            template.get_version(version).image_id,
            1,
            template.get_version(version).user_data,
            [],
            instance_type=template.get_version(version).instance_type,
            is_instance_type_default=False,
            region_name=self.region,
            tags={"instance": {**self.get_propagated_tags(), ASG_NAME_TAG: self.name}},
            launch_template={"LaunchTemplateId": template.id, "Version": str(number)},
            subnet_id=subnet,
            associate_public_ip=None,
        )
        return Member(reservation.instances[0], self, number)

    def _sickness(self, member: Member) -> str | None:
        if member.instance.state != "running":
            return "an EC2 health check indicating it has been terminated or stopped"
        if member.health_status == "Unhealthy":
            return "a user health-check"
        if self.health_check_type == "ELB" and self.past_grace(member) and "unhealthy" in self.target_states(member):
            return "an ELB system health check failure"
        return None

    def target_states(self, member: Member) -> list[str]:
        """State of an instance in each of its target groups."""
        target = {"Id": member.instance_id}
        return [group.health_for(target, self.ec2_backend).status for group in self.target_groups()]

    def _is_draining(self, member: Member) -> bool:
        return any(member.instance_id in group.draining for group in self.target_groups())

    def is_suspended(self, process: str) -> bool:
        """True if a process, for example `Launch`, is suspended."""
        return process in self._suspended_processes

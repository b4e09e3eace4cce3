"""An Auto Scaling group that keeps itself at its desired capacity: launch, health, drain, replace, refresh.

`step` is one look: it does what is due and returns at once. AWS, "Amazon EC2 Auto Scaling instance lifecycle",
"Health checks for instances in an Auto Scaling group", "Use Elastic Load Balancing".
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from typing import Any

from moto.autoscaling.models import ASG_NAME_TAG
from moto.core.exceptions import ServiceException

from local.control.capacity_plan import launch_subnets, scale_in_victims
from local.control.services.autoscaling_activities import Activities
from local.control.services.autoscaling_hooks import (
    LAUNCHING,
    TERMINATING,
    LifecycleAction,
    begin_actions,
    outcome,
)
from local.control.services.autoscaling_member import LEAVING, PENDING, Member, Replacement
from local.control.services.autoscaling_targets import BalancedGroup

RETRY, LONGEST_RETRY = 5.0, 300.0
"""Seconds until a launch that EC2 refused is tried again in the same subnet; doubled each time."""


class Group(BalancedGroup):
    """A group; `instance_states` holds `Member`s, those in service and those that are leaving."""

    default_instance_warmup: int | None = None
    max_instance_lifetime: int | None = None
    instance_maintenance_policy: dict[str, int] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.activities = Activities()
        self.refresh_version: str | None = None
        self.replacement: Replacement | None = None
        self._refused: dict[str, tuple[float, float]] = {}
        super().__init__(*args, **kwargs)

    @property
    def members(self) -> list[Member]:
        return [state for state in self.instance_states if isinstance(state, Member)]

    @property
    def in_service(self) -> list[Member]:
        return [member for member in self.members if member.lifecycle_state == "InService"]

    @property
    def present(self) -> list[Member]:
        """The instances that count for the capacity: in service, or held by a launch hook."""
        return [member for member in self.members if member.lifecycle_state in {"InService", PENDING}]

    @property
    def subnets(self) -> list[str]:
        return (self.vpc_zone_identifier or "").split(",")

    @property
    def warmup(self) -> float:
        """Seconds from coming into service until an instance counts as ready."""
        warmup = self.default_instance_warmup
        return float(self.health_check_grace_period or 0) if warmup is None else float(warmup)

    @property
    def in_standby(self) -> list[Member]:
        return [member for member in self.members if member.lifecycle_state == "Standby"]

    def leaves_first(self, member: Member) -> tuple[int, float]:
        """Sorts instances in service: those of the fullest subnet first, then the oldest."""
        subnets = [each.placed.subnet for each in self.present]
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
        missing = (self.desired_capacity or 0) - len(self.present)
        if missing > 0:
            return self.launch(missing) > 0
        victims = scale_in_victims([member.placed for member in self.present], -missing)
        ended = []
        for instance_id in victims:
            count = len(self.present)
            reason = (
                "an instance was taken out of service in response to a difference between desired and actual capacity, "
                f"shrinking the capacity from {count} to {count - 1}."
            )
            ended.append(self.terminate(instance_id, reason))
        return any(ended)

    def look_after_health(self) -> bool:
        """Ends instances that are not healthy, so that they are replaced; True if there was one."""
        if self.is_suspended("ReplaceUnhealthy"):
            return False
        sick = [(member, cause) for member in self.present if (cause := self.sickness(member))]
        for member, _ in sick:
            member.health_status = "Unhealthy"
        reason = "an instance was taken out of service in response to {}."
        return any([self.terminate(member.instance_id, reason.format(cause)) for member, cause in sick])  # noqa: C419

    def finish_waiting(self) -> bool:
        """Brings instances into service whose launch hooks have let them go; True if there was one."""
        ended = [
            (member, result)
            for member in self.members
            if member.lifecycle_state == PENDING and (result := outcome(member.actions, time.monotonic()))
        ]
        for member, result in ended:
            if result == "CONTINUE":
                self._put_in_service(member)
            else:
                self._abandon(member)
        return bool(ended)

    def finish_leaving(self) -> bool:
        """Terminates instances whose targets have drained and whose hooks have let them go; True if there was one."""
        drained = [member for member in self.members if member.leaving and not self.is_draining(member)]
        return any([self._finish(member) for member in drained])  # noqa: C419  all of them

    def launch(self, count: int, subnets: Sequence[str] | None = None, going: Collection[str] = ()) -> int:
        """Launches instances evenly over the subnets that EC2 accepts.

        Args:
            count: how many.
            subnets: where; in all subnets of the group by default.
            going: ids of instances that will be replaced, so that it is the others that are to be even.

        Returns:
            How many could be launched.
        """
        launched, wanted = 0, self.subnets if subnets is None else subnets
        open_subnets = [] if self.is_suspended("Launch") else [each for each in wanted if self.accepts(each)]
        while launched < count and open_subnets:
            running = [member.placed.subnet for member in self.present if member.instance_id not in going]
            (subnet,) = launch_subnets(open_subnets, running, 1)
            try:
                member = self._run_instance(subnet)
            except ServiceException as error:
                self._note_refusal(subnet, str(error.message))
                open_subnets.remove(subnet)
                continue
            self._refused.pop(subnet, None)
            self._join(member)
            launched += 1
        return launched

    def accepts(self, subnet: str) -> bool:
        """False while a launch that EC2 has refused in a subnet is not tried again."""
        return time.monotonic() >= self._refused.get(subnet, (0.0, 0.0))[0]

    def terminate(self, instance_id: str, reason: str) -> bool:
        """Takes an instance out of its target groups; it ends when they have drained. False if that is suspended."""
        if self.is_suspended("Terminate"):
            return False
        member = next(member for member in self.members if member.instance_id == instance_id)
        member.lifecycle_state, member.leaving, member.actions = "Terminating", True, []
        member.activity = self.activities.terminating(instance_id, member.details, reason)
        self.deregister_targets(member)
        return True

    def forget(self, member: Member) -> None:
        """Removes an instance from the group."""
        self.instance_states = [state for state in self.instance_states if state is not member]
        if member.leaving and member.activity is not None:
            member.activity.finish()

    def _join(self, member: Member) -> None:
        self.instance_states.append(member)
        count = len(self.present)
        member.activity = self.activities.launched(member.instance_id, member.details, count - 1, count)
        member.actions = self._begin(LAUNCHING)
        if member.actions:
            member.lifecycle_state, member.activity.status = PENDING, "MidLifecycleAction"
        else:
            self._put_in_service(member)

    def _put_in_service(self, member: Member) -> None:
        member.lifecycle_state, member.launched, member.actions = "InService", time.monotonic(), []
        if member.activity is not None:
            member.activity.finish()
        self.register_targets(member)

    def _abandon(self, member: Member) -> None:
        given_up = next(action for action in member.actions if action.result(time.monotonic()) == "ABANDON")
        if member.activity is not None:
            member.activity.fail(given_up.message())
        self.terminate(member.instance_id, "an instance was taken out of service in response to a lifecycle hook.")

    def _finish(self, member: Member) -> bool:
        if member.lifecycle_state == "Terminating":
            member.actions = self._begin(TERMINATING)
            member.lifecycle_state = LEAVING
            if member.actions and member.activity is not None:
                member.activity.status = "MidLifecycleAction"
        if outcome(member.actions, time.monotonic()) is None:
            return False
        self.forget(member)
        if member.instance.state != "terminated":
            self.ec2_backend.terminate_instances([member.instance_id])
        self.autoscaling_backend.elbv2_backend.notify_terminate_instances([member.instance_id])
        return True

    def _begin(self, transition: str) -> list[LifecycleAction]:
        return begin_actions(self.autoscaling_backend.describe_lifecycle_hooks(self.name), transition)

    def _note_refusal(self, subnet: str, message: str) -> None:
        delay = min(LONGEST_RETRY, max(RETRY, 2 * self._refused.get(subnet, (0.0, 0.0))[1]))
        self._refused[subnet] = (time.monotonic() + delay, delay)
        self.activities.launch_failed(message, {"Subnet ID": subnet})

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

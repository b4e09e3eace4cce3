"""An instance of a group, and where it is in its life.

AWS, "Amazon EC2 Auto Scaling instance lifecycle": Pending, InService, Terminating, each with its wait; Standby.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState
from moto.ec2.models.instances import Instance

from local.control.capacity_plan import Placed
from local.control.cloud import CLOUD
from local.control.refresh_plan import Bounds
from local.control.services.autoscaling_activities import ScalingActivity
from local.control.services.autoscaling_hooks import LifecycleAction

PENDING, LEAVING = "Pending:Wait", "Terminating:Wait"


class Member(InstanceState):
    """An instance of a group, with the launch template version that it was launched with.

    Attributes:
        launched: when it was launched, and from then on when it came into service, in seconds of the monotonic clock.
        activity: the launch or termination that goes on.
        leaving: True from the moment at which it is to be terminated.
        actions: the lifecycle actions that it waits for.
    """

    def __init__(self, instance: Instance, group: FakeAutoScalingGroup, version: int) -> None:
        protected = group.new_instances_protected_from_scale_in
        super().__init__(instance, protected_from_scale_in=protected, autoscaling_group=group)
        self.version = version
        self.launched = time.monotonic()
        self.activity: ScalingActivity | None = None
        self.leaving = False
        self.actions: list[LifecycleAction] = []

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

    @property
    def age(self) -> float:
        """Seconds in service, and those that the local cloud was told to add."""
        return time.monotonic() - self.launched + CLOUD.reports.ages.get(self.instance_id, 0.0)


@dataclass(frozen=True)
class Replacement:
    """An instance that must go, why, the bounds that hold meanwhile, and where its replacement is launched."""

    member: Member
    cause: str
    bounds: Bounds
    subnets: list[str]

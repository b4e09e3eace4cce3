"""Groups under everything that can happen to them, in any order: capacity, bounds, health, refreshes, alarms, age.

The test is the data plane and the balancer. At every step the bounds hold, and only a fault or a scale-in takes a
healthy instance away; when everything is well again, each group ends up whole and even.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, wait_until
from tests.local.control.stack import make_alarm, make_fleet, set_alarm

DAY = 86400
LAUNCH_FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}
STEPS = 30
REFUSED = frozenset({"InstanceRefreshInProgress", "ActiveInstanceRefreshNotFound", "ValidationError"})


class Walk:
    """One group and what happens to it."""

    def __init__(self, control: Control, seed: int) -> None:
        self.luck = Random(seed)
        self.control = control
        self.autoscaling = control.client("autoscaling")
        self.alarm = make_alarm(control)
        self.fleet = make_fleet(
            control,
            desired=self.luck.randint(1, 5),
            MaxInstanceLifetime=DAY,
            InstanceMaintenancePolicy=LAUNCH_FIRST,
            HealthCheckGracePeriod=0,
        )
        self.versions = ["1", *(self.fleet.new_version() for _ in range(2))]

    def step(self) -> None:
        """One thing happens, and what must hold is looked at."""
        before, wanted = self._healthy(), self.fleet.describe()["DesiredCapacity"]
        chosen = self.luck.choice(HARMLESS + HARMFUL)
        try:
            chosen(self)
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSED:
                raise
        group = self.fleet.describe()
        present = sum(each["LifecycleState"] == "InService" for each in group["Instances"])
        assert group["MinSize"] <= group["DesiredCapacity"] <= group["MaxSize"], chosen.__name__
        assert present <= max(group["DesiredCapacity"], wanted) + 1, chosen.__name__
        if chosen in HARMLESS:
            assert self._healthy() >= min(before, group["DesiredCapacity"]), chosen.__name__

    def come_to_rest(self) -> None:
        """Everything is well from now on: the group gets there too."""
        set_alarm(self.control, self.alarm, "OK", "well again")
        wait_until(self._at_rest, 60)

    def latest(self) -> dict[str, Any]:
        found = self.autoscaling.describe_instance_refreshes(AutoScalingGroupName=self.fleet.group)["InstanceRefreshes"]
        return found[0] if found else {"Status": "None"}

    def play_balancer(self) -> None:
        for state, becomes in (("initial", "healthy"), ("draining", "unused")):
            found = [instance for instance, health in self.fleet.health().items() if health == state]
            if found:
                self.fleet.report(becomes, *found)

    def one_of_the_instances(self) -> str:
        return self.luck.choice(self.fleet.in_service() or ["i-none"])

    def _healthy(self) -> int:
        return Counter(self.fleet.health().values())["healthy"]

    def _at_rest(self) -> bool:
        self.play_balancer()
        group = self.fleet.describe()
        active = {"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"}
        zones = Counter(each["AvailabilityZone"] for each in group["Instances"])
        even = abs(zones["eu-central-1a"] - zones["eu-central-1b"]) <= 1
        whole = len(group["Instances"]) == group["DesiredCapacity"]
        well = Counter(self.fleet.health().values()) == {"healthy": group["DesiredCapacity"]}
        return self.latest()["Status"] not in active and even and whole and well


def _report(walk: Walk) -> None:
    walk.play_balancer()


def _grow(walk: Walk) -> None:
    group = walk.fleet.describe()
    _scale(walk, walk.luck.randint(group["DesiredCapacity"], group["MaxSize"]))


def _shrink(walk: Walk) -> None:
    group = walk.fleet.describe()
    _scale(walk, walk.luck.randint(group["MinSize"], group["DesiredCapacity"]))


def _scale(walk: Walk, desired: int) -> None:
    walk.autoscaling.set_desired_capacity(AutoScalingGroupName=walk.fleet.group, DesiredCapacity=desired)


def _change_bounds(walk: Walk) -> None:
    low = walk.luck.randint(1, 3)
    walk.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=walk.fleet.group, MinSize=low, MaxSize=walk.luck.randint(low, 6)
    )


def _refresh(walk: Walk) -> None:
    template = {"LaunchTemplateId": walk.fleet.template, "Version": walk.luck.choice(walk.versions)}
    preferences = {
        **LAUNCH_FIRST,
        "InstanceWarmup": 0,
        "AutoRollback": walk.luck.random() < 0.5,
        "SkipMatching": walk.luck.random() < 0.5,
        "AlarmSpecification": {"Alarms": [walk.alarm]},
    }
    if walk.luck.random() < 0.5:
        preferences |= {"CheckpointPercentages": [1, 60, 100], "CheckpointDelay": walk.luck.randint(0, 1)}
    walk.autoscaling.start_instance_refresh(
        AutoScalingGroupName=walk.fleet.group,
        DesiredConfiguration={"LaunchTemplate": template},
        Preferences=preferences,
    )


def _cancel(walk: Walk) -> None:
    walk.autoscaling.cancel_instance_refresh(
        AutoScalingGroupName=walk.fleet.group, WaitForTransitioningInstances=walk.luck.random() < 0.5
    )


def _roll_back(walk: Walk) -> None:
    walk.autoscaling.rollback_instance_refresh(AutoScalingGroupName=walk.fleet.group)


def _ring(walk: Walk) -> None:
    set_alarm(walk.control, walk.alarm, walk.luck.choice(["ALARM", "OK", "INSUFFICIENT_DATA"]), "by chance")


def _grow_old(walk: Walk) -> None:
    walk.control.local("POST", "ages", {walk.one_of_the_instances(): DAY})


def _fall_ill(walk: Walk) -> None:
    walk.fleet.report("unhealthy", walk.one_of_the_instances())


def _die(walk: Walk) -> None:
    for instance in walk.fleet.in_service()[:1]:
        walk.control.client("ec2").terminate_instances(InstanceIds=[instance])


def _leave_a_zone(walk: Walk) -> None:
    subnets = ",".join(walk.luck.choice([walk.fleet.network.subnets, walk.fleet.network.subnets[1:]]))
    walk.autoscaling.update_auto_scaling_group(AutoScalingGroupName=walk.fleet.group, VPCZoneIdentifier=subnets)


def _come_back_to_all_zones(walk: Walk) -> None:
    walk.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=walk.fleet.group, VPCZoneIdentifier=",".join(walk.fleet.network.subnets)
    )


HARMLESS: list[Callable[[Walk], None]] = [
    *[_report] * 6,
    *[_refresh] * 2,
    _grow,
    _roll_back,
    _grow_old,
    _leave_a_zone,
]
# A scale-in may take any instance, also a healthy one while its replacement is not there yet; so does what follows a
# cancelled or failed refresh.
HARMFUL: list[Callable[[Walk], None]] = [_shrink, _change_bounds, _cancel, _ring, _fall_ill, _die]


@pytest.mark.timeout(0)
def test_whatever_happens_bounds_hold_and_the_group_comes_to_rest(
    reported: Control, counts: Callable[[int, int], int]
) -> None:
    for seed in range(counts(2, 30)):
        walk = Walk(reported, seed)
        try:
            for _ in range(STEPS):
                walk.step()
            _come_back_to_all_zones(walk)
            walk.come_to_rest()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        finally:
            reported.client("autoscaling").delete_auto_scaling_group(
                AutoScalingGroupName=walk.fleet.group, ForceDelete=True
            )

"""Healthy instances that must go all the same are replaced one by one: too old, or where the group is no more."""

from __future__ import annotations

from collections import Counter

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, wait_until
from tests.local.control.stack import Fleet, make_fleet

DAY = 86400
LAUNCH_FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}


def _zones(fleet: Fleet) -> Counter[str]:
    there = set(fleet.in_service())
    return Counter(each["AvailabilityZone"] for each in fleet.describe()["Instances"] if each["InstanceId"] in there)


def _play_balancer(fleet: Fleet) -> None:
    """Draining instances have no request in flight, and then new ones are healthy."""
    for state, becomes in (("draining", "unused"), ("initial", "healthy")):
        found = [instance for instance, health in fleet.health().items() if health == state]
        if found:
            fleet.report(becomes, *found)


def test_old_instances_are_replaced_one_at_a_time_and_the_new_one_comes_first(reported: Control) -> None:
    fleet = make_fleet(reported, desired=3, MaxInstanceLifetime=DAY, InstanceMaintenancePolicy=LAUNCH_FIRST)
    fleet.report("healthy")
    old = set(fleet.in_service())
    reported.local("POST", "ages", dict.fromkeys(old, DAY))
    wait_until(lambda: len(fleet.in_service()) == 4)
    assert old <= set(fleet.in_service())

    def replaced() -> bool:
        states = Counter(fleet.health().values())
        assert (states["healthy"] >= 3, states["initial"] + states["draining"] <= 1) == (True, True)
        _play_balancer(fleet)
        return not old & set(fleet.health())

    wait_until(replaced, 30)
    wait_until(lambda: len(fleet.in_service()) == 3)
    answer = reported.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    ended = [each for each in answer["Activities"] if each["Description"].startswith("Terminating")]
    assert ["maximum instance lifetime" in each["Cause"] for each in ended] == [True] * 3


def test_without_a_maintenance_policy_the_old_one_goes_first(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2, MaxInstanceLifetime=DAY)
    fleet.report("healthy")
    old = fleet.in_service()[0]
    reported.local("POST", "ages", {old: DAY + 1})
    wait_until(lambda: fleet.health().get(old) == "draining" and len(fleet.in_service()) == 2)
    assert Counter(fleet.health().values()) == {"healthy": 1, "initial": 1, "draining": 1}


def test_a_protected_or_young_instance_stays(control: Control) -> None:
    fleet = make_fleet(control, desired=2, MaxInstanceLifetime=DAY)
    protected, young = before = fleet.in_service()
    control.client("autoscaling").set_instance_protection(
        AutoScalingGroupName=fleet.group, InstanceIds=[protected], ProtectedFromScaleIn=True
    )
    control.local("POST", "ages", {protected: 2 * DAY, young: DAY - 60})
    assert fleet.in_service() == before


def test_a_lifetime_below_a_day_is_refused(control: Control) -> None:
    fleet = make_fleet(control)
    update = control.client("autoscaling").update_auto_scaling_group
    with pytest.raises(ClientError, match="MaxInstanceLifetime must be 0 or at least 86400 seconds"):
        update(AutoScalingGroupName=fleet.group, MaxInstanceLifetime=60)
    update(AutoScalingGroupName=fleet.group, MaxInstanceLifetime=0)


def test_a_zone_whose_subnet_is_gone_is_made_up_for_in_the_others(control: Control) -> None:
    fleet = make_fleet(control, desired=0, MinSize=0)
    control.client("ec2").delete_subnet(SubnetId=fleet.network.subnets[0])
    control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=3)
    assert _zones(fleet) == {"eu-central-1b": 3}
    answer = control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    assert [each["StatusCode"] for each in answer["Activities"]].count("Failed") == 1


def test_instances_leave_a_subnet_that_the_group_has_left_and_come_back_with_it(reported: Control) -> None:
    fleet = make_fleet(reported, desired=4, DefaultInstanceWarmup=0)
    fleet.report("healthy")
    one, two = fleet.network.subnets
    for subnets, zones in ((two, {"eu-central-1b": 4}), (f"{one},{two}", {"eu-central-1a": 2, "eu-central-1b": 2})):
        reported.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=fleet.group, VPCZoneIdentifier=subnets
        )

        def moved(zones: dict[str, int] = zones) -> bool:
            assert Counter(fleet.health().values())["healthy"] >= 4
            _play_balancer(fleet)
            return _zones(fleet) == zones and len(fleet.health()) == 4

        wait_until(moved, 30)


def test_rebalancing_can_be_suspended(control: Control) -> None:
    fleet, autoscaling = make_fleet(control, desired=2), control.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["AZRebalance"])
    before = fleet.in_service()
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=fleet.group, VPCZoneIdentifier=fleet.network.subnets[1])
    assert fleet.in_service() == before
    autoscaling.resume_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["AZRebalance"])
    wait_until(lambda: _zones(fleet) == {"eu-central-1b": 2})

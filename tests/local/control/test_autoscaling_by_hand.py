"""What a person does to a group: suspend a process, take an instance out, put it aside. Minimum and maximum hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, wait_until
from tests.local.control.stack import Fleet, make_fleet


def _suspend(fleet: Fleet, process: str) -> None:
    fleet.control.client("autoscaling").suspend_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=[process])


def _resume(fleet: Fleet, process: str) -> None:
    fleet.control.client("autoscaling").resume_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=[process])


def _scale(fleet: Fleet, desired: int) -> None:
    fleet.control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=desired)


def _has(fleet: Fleet, count: int) -> bool:
    return len(fleet.in_service()) == count


def test_suspended_launches_and_terminations_wait(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    for process, desired in (("Launch", 3), ("Terminate", 1)):
        _suspend(fleet, process)
        before = fleet.in_service()
        _scale(fleet, desired)
        assert fleet.in_service() == before
        _resume(fleet, process)
        wait_until(partial(_has, fleet, desired))


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "HealthCheck"])
def test_suspended_health_leaves_an_unhealthy_instance(reported: Control, process: str) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=0)
    fleet.report("healthy")
    _suspend(fleet, process)
    sick = fleet.in_service()[0]
    fleet.report("unhealthy", sick)
    assert sick in fleet.in_service()
    _resume(fleet, process)
    wait_until(lambda: sick not in fleet.in_service())


def test_an_instance_in_standby_gets_no_requests_and_is_replaced_or_not(control: Control) -> None:
    fleet, autoscaling = make_fleet(control, desired=2), control.client("autoscaling")
    aside = fleet.in_service()[0]
    chosen: dict[str, Any] = {"AutoScalingGroupName": fleet.group, "InstanceIds": [aside]}
    autoscaling.enter_standby(**chosen, ShouldDecrementDesiredCapacity=True)
    assert (aside in fleet.health(), len(fleet.in_service()), fleet.describe()["DesiredCapacity"]) == (False, 1, 1)
    autoscaling.exit_standby(**chosen)
    assert (fleet.health()[aside], len(fleet.in_service())) == ("healthy", 2)
    autoscaling.enter_standby(**chosen, ShouldDecrementDesiredCapacity=False)
    assert (len(fleet.in_service()), len(fleet.describe()["Instances"])) == (2, 3)


def test_a_detached_instance_lives_on_without_its_group(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    detached = fleet.in_service()[0]
    control.client("autoscaling").detach_instances(
        AutoScalingGroupName=fleet.group, InstanceIds=[detached], ShouldDecrementDesiredCapacity=False
    )
    assert detached not in {each["InstanceId"] for each in fleet.describe()["Instances"]} | set(fleet.health())
    assert len(fleet.in_service()) == 2
    answer = control.client("ec2").describe_instances(InstanceIds=[detached])
    assert answer["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"


def test_the_minimum_holds_against_whoever_takes_instances_out(control: Control) -> None:
    fleet, autoscaling = make_fleet(control, desired=1), control.client("autoscaling")
    (only,) = fleet.in_service()
    chosen: dict[str, Any] = {"AutoScalingGroupName": fleet.group, "InstanceIds": [only]}
    calls: list[Callable[..., Any]] = [
        partial(autoscaling.detach_instances, **chosen),
        partial(autoscaling.enter_standby, **chosen),
        partial(autoscaling.terminate_instance_in_auto_scaling_group, InstanceId=only),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="will violate group's min size constraint"):
            call(ShouldDecrementDesiredCapacity=True)
    assert (fleet.in_service(), fleet.describe()["DesiredCapacity"]) == ([only], 1)


def test_the_maximum_holds_against_instances_that_come_back(control: Control) -> None:
    fleet, autoscaling = make_fleet(control, desired=2), control.client("autoscaling")
    chosen: dict[str, Any] = {"AutoScalingGroupName": fleet.group, "InstanceIds": fleet.in_service()[:1]}
    autoscaling.enter_standby(**chosen, ShouldDecrementDesiredCapacity=False)
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=fleet.group, MaxSize=2)
    with pytest.raises(ClientError, match="max size constraint"):
        autoscaling.exit_standby(**chosen)


@pytest.mark.parametrize(("bounds", "desired"), [({"MinSize": 4}, 4), ({"MaxSize": 1}, 1)])
def test_new_bounds_move_the_capacity_between_them(control: Control, bounds: dict[str, int], desired: int) -> None:
    fleet = make_fleet(control, desired=2)
    control.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=fleet.group, **bounds)
    assert fleet.describe()["DesiredCapacity"] == desired
    wait_until(lambda: len(fleet.in_service()) == desired)


def test_an_instance_of_no_group_is_told_so(control: Control) -> None:
    with pytest.raises(ClientError, match="Instance Id not found"):
        control.client("autoscaling").set_instance_health(InstanceId="i-0123456789abcdef0", HealthStatus="Unhealthy")

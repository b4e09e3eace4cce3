"""Groups keep themselves at their desired capacity, spread over zones, and let instances go through draining."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, wait_until
from tests.local.control.stack import Fleet, make_fleet


def _activities(fleet: Fleet) -> list[dict[str, Any]]:
    answer = fleet.control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    found: list[dict[str, Any]] = answer["Activities"]
    return found


def test_instances_are_spread_over_the_zones(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    zones = Counter(instance["AvailabilityZone"] for instance in fleet.describe()["Instances"])
    assert zones == {"eu-central-1a": 2, "eu-central-1b": 2}


@pytest.mark.parametrize("desired", [0, 7])
def test_a_desired_capacity_out_of_bounds_is_refused_and_changes_nothing(control: Control, desired: int) -> None:
    fleet = make_fleet(control)
    with pytest.raises(ClientError, match="ValidationError"):
        control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=desired)
    with pytest.raises(ClientError, match="between the specified"):
        control.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=fleet.group, MinSize=1, MaxSize=6, DesiredCapacity=desired
        )
    assert fleet.describe()["DesiredCapacity"] == 2


def test_a_scale_in_drains_targets_before_it_terminates(reported: Control) -> None:
    fleet = make_fleet(reported, desired=3)
    fleet.report("healthy")
    before = set(fleet.in_service())
    reported.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=2)
    (leaving,) = before - set(fleet.in_service())
    assert fleet.health()[leaving] == "draining"
    assert _state(reported, leaving) == "running"
    fleet.report("unused", leaving)
    wait_until(lambda: leaving not in fleet.health())
    assert _state(reported, leaving) == "terminated"
    assert len(fleet.describe()["Instances"]) == 2


def test_a_drain_ends_with_the_deregistration_delay(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    reported.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=fleet.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}],
    )
    reported.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=1)
    wait_until(lambda: len(fleet.health()) == 1)


def test_a_scale_in_takes_the_fuller_zone_and_the_older_template(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    old = set(fleet.in_service())
    control.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName=fleet.group,
        LaunchTemplate={"LaunchTemplateId": fleet.template, "Version": fleet.new_version()},
        DesiredCapacity=4,
    )
    assert {each["LaunchTemplate"]["Version"] for each in fleet.describe()["Instances"]} == {"1", "2"}
    control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=2)
    assert not old & set(fleet.in_service())
    assert len({each["AvailabilityZone"] for each in fleet.describe()["Instances"]}) == 2


def test_activities_tell_who_changed_the_capacity(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=3)
    newest = _activities(fleet)[0]
    assert newest["Description"].startswith("Launching a new EC2 instance: i-")
    assert "a user request explicitly set group desired capacity" in newest["Cause"]
    assert "from 2 to 3" in newest["Cause"]
    assert newest["StatusCode"] == "Successful"
    assert len(_activities(fleet)) == 3


def test_an_unhealthy_instance_is_replaced(control: Control) -> None:
    fleet = make_fleet(control)
    sick = fleet.in_service()[0]
    control.client("autoscaling").set_instance_health(InstanceId=sick, HealthStatus="Unhealthy")
    assert sick not in fleet.in_service()
    assert len(fleet.in_service()) == 2
    wait_until(lambda: _state(control, sick) == "terminated")
    assert any("health" in activity["Cause"] for activity in _activities(fleet))


def test_an_instance_terminated_by_somebody_else_is_replaced(control: Control) -> None:
    fleet = make_fleet(control)
    gone = fleet.in_service()[0]
    control.client("ec2").terminate_instances(InstanceIds=[gone])
    assert len(fleet.in_service()) == 2
    assert gone not in fleet.in_service()
    assert gone not in fleet.health()


def test_an_unhealthy_target_is_replaced_once_the_grace_period_is_over(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=0)
    fleet.report("healthy")
    sick = fleet.in_service()[0]
    fleet.report("unhealthy", sick)
    wait_until(lambda: sick not in fleet.in_service() and len(fleet.in_service()) == 2)


def test_an_unhealthy_target_in_its_grace_period_stays(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=600)
    sick = fleet.in_service()[0]
    fleet.report("unhealthy", sick)
    assert fleet.health()[sick] == "unhealthy"
    assert sick in fleet.in_service()


def test_what_the_program_sets_is_kept(control: Control) -> None:
    policy = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}
    fleet = make_fleet(control, MaxInstanceLifetime=86400, InstanceMaintenancePolicy=policy, DefaultInstanceWarmup=7)
    group = fleet.describe()
    assert group["InstanceMaintenancePolicy"] == policy
    assert (group["MaxInstanceLifetime"], group["DefaultInstanceWarmup"]) == (86400, 7)
    control.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=fleet.group, DefaultInstanceWarmup=9)
    assert fleet.describe()["DefaultInstanceWarmup"] == 9
    assert fleet.describe()["DesiredCapacity"] == 2


def test_tags_reach_the_instances(control: Control) -> None:
    tags = [{"Key": "team", "Value": "blue", "PropagateAtLaunch": True}]
    fleet = make_fleet(control, desired=1, Tags=tags)
    answer = control.client("ec2").describe_instances(InstanceIds=fleet.in_service())
    found = {tag["Key"]: tag["Value"] for tag in answer["Reservations"][0]["Instances"][0]["Tags"]}
    assert found["team"] == "blue"
    assert found["aws:autoscaling:groupName"] == fleet.group


def test_a_launch_that_ec2_refuses_is_told_and_does_not_break_the_group(control: Control) -> None:
    fleet = make_fleet(control, desired=1)
    image = control.client("ec2").describe_launch_template_versions(LaunchTemplateId=fleet.template, Versions=["1"])
    control.client("ec2").deregister_image(ImageId=image["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"])
    control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=2)
    failed = _activities(fleet)[0]
    assert failed["StatusCode"] == "Failed"
    assert "is no longer available" in failed["StatusMessage"]
    assert len(fleet.in_service()) == 1


def test_a_group_with_instances_is_only_deleted_by_force(control: Control) -> None:
    fleet = make_fleet(control)
    instances = fleet.in_service()
    with pytest.raises(ClientError, match="ResourceInUse"):
        control.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=fleet.group)
    control.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=fleet.group, ForceDelete=True)
    assert {_state(control, instance) for instance in instances} == {"terminated"}


def test_a_scaling_policy_has_an_arn(control: Control) -> None:
    fleet = make_fleet(control)
    target = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50}
    policy = control.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=fleet.group,
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=target,
    )
    assert policy["PolicyARN"].endswith("policyName/cpu")


def _state(control: Control, instance: str) -> str:
    answer = control.client("ec2").describe_instances(InstanceIds=[instance])
    state: str = answer["Reservations"][0]["Instances"][0]["State"]["Name"]
    return state

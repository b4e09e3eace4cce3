"""Lifecycle hooks hold instances that come or go until they are completed, given up, or time out."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control.services.autoscaling_hooks import LAUNCHING, TERMINATING, LifecycleAction, outcome
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import Fleet, make_fleet


def _hook(name: str, transition: str, **options: Any) -> dict[str, Any]:
    return {"LifecycleHookName": name, "LifecycleTransition": transition, **options}


def _states(fleet: Fleet) -> list[str]:
    return sorted(each["LifecycleState"] for each in fleet.describe()["Instances"])


def _complete(fleet: Fleet, hook: str, result: str, instance: str) -> None:
    fleet.control.client("autoscaling").complete_lifecycle_action(
        AutoScalingGroupName=fleet.group, LifecycleHookName=hook, LifecycleActionResult=result, InstanceId=instance
    )


def _newest_activity(fleet: Fleet) -> dict[str, Any]:
    answer = fleet.control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    activity: dict[str, Any] = answer["Activities"][0]
    return activity


def test_a_launch_hook_keeps_an_instance_out_of_the_balancer_until_it_is_completed(control: Control) -> None:
    fleet = make_fleet(control, desired=1, LifecycleHookSpecificationList=[_hook("up", LAUNCHING)])
    (waiting,) = fleet.describe()["Instances"]
    assert (waiting["LifecycleState"], fleet.health()) == ("Pending:Wait", {})
    assert _newest_activity(fleet)["StatusCode"] == "MidLifecycleAction"
    _complete(fleet, "up", "CONTINUE", waiting["InstanceId"])
    assert fleet.health() == {waiting["InstanceId"]: "healthy"}
    assert _states(fleet) == ["InService"]
    assert _newest_activity(fleet)["StatusCode"] == "Successful"
    with pytest.raises(ClientError, match="No active Lifecycle Action found with instance ID"):
        _complete(fleet, "up", "CONTINUE", waiting["InstanceId"])


def test_an_abandoned_launch_is_tried_again(control: Control) -> None:
    fleet = make_fleet(control, desired=1, LifecycleHookSpecificationList=[_hook("up", LAUNCHING)])
    (waiting,) = fleet.describe()["Instances"]
    _complete(fleet, "up", "ABANDON", waiting["InstanceId"])
    wait_until(lambda: [each["InstanceId"] for each in fleet.describe()["Instances"]] != [waiting["InstanceId"]])
    assert _states(fleet) == ["Pending:Wait"]
    activities = control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    (failed,) = [each for each in activities["Activities"] if each["StatusCode"] == "Failed"]
    assert "Lifecycle Action Completed with ABANDON Result" in failed["StatusMessage"]


def test_a_termination_hook_waits_after_the_drain(reported: Control) -> None:
    hooks = [_hook("down", TERMINATING), _hook("down-too", TERMINATING)]
    fleet = make_fleet(reported, desired=2, LifecycleHookSpecificationList=hooks)
    fleet.report("healthy")
    reported.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=1)
    leaving = next(instance for instance, state in fleet.health().items() if state == "draining")
    assert _states(fleet) == ["InService", "Terminating"]
    fleet.report("unused", leaving)
    assert _states(fleet) == ["InService", "Terminating:Wait"]
    _complete(fleet, "down", "CONTINUE", leaving)
    assert _states(fleet) == ["InService", "Terminating:Wait"]
    assert _state(reported, leaving) == "running"
    _complete(fleet, "down-too", "CONTINUE", leaving)
    assert _states(fleet) == ["InService"]
    assert _state(reported, leaving) == "terminated"


def test_a_refresh_counts_an_instance_that_a_hook_holds_as_not_ready(control: Control) -> None:
    fleet, autoscaling = make_fleet(control, desired=2), control.client("autoscaling")
    autoscaling.put_lifecycle_hook(AutoScalingGroupName=fleet.group, **_hook("up", LAUNCHING))
    autoscaling.start_instance_refresh(
        AutoScalingGroupName=fleet.group,
        DesiredConfiguration={"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": fleet.new_version()}},
        Preferences={"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "InstanceWarmup": 0},
    )
    for _ in range(2):
        assert _states(fleet) == ["InService", "InService", "Pending:Wait"]
        waiting = next(each for each in fleet.describe()["Instances"] if each["LifecycleState"] == "Pending:Wait")
        _complete(fleet, "up", "CONTINUE", waiting["InstanceId"])
    answer = autoscaling.describe_instance_refreshes(AutoScalingGroupName=fleet.group)
    assert answer["InstanceRefreshes"][0]["Status"] == "Successful"
    assert _states(fleet) == ["InService", "InService"]


def test_a_hook_that_is_deleted_lets_go(control: Control) -> None:
    fleet, autoscaling = make_fleet(control, desired=2), control.client("autoscaling")
    autoscaling.put_lifecycle_hook(AutoScalingGroupName=fleet.group, **_hook("down", TERMINATING))
    autoscaling.set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=1)
    assert _states(fleet) == ["InService", "Terminating:Wait"]
    autoscaling.delete_lifecycle_hook(AutoScalingGroupName=fleet.group, LifecycleHookName="down")
    wait_until(lambda: _states(fleet) == ["InService"])


def test_a_hook_is_kept_as_it_was_put_and_changed_in_part(control: Control) -> None:
    fleet, autoscaling = make_fleet(control), control.client("autoscaling")
    autoscaling.put_lifecycle_hook(AutoScalingGroupName=fleet.group, **_hook("up", LAUNCHING, HeartbeatTimeout=40))
    autoscaling.put_lifecycle_hook(AutoScalingGroupName=fleet.group, LifecycleHookName="up", DefaultResult="CONTINUE")
    (hook,) = autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=fleet.group)["LifecycleHooks"]
    shown = {key: hook[key] for key in ("LifecycleTransition", "HeartbeatTimeout", "GlobalTimeout", "DefaultResult")}
    assert shown == {
        "LifecycleTransition": LAUNCHING,
        "HeartbeatTimeout": 40,
        "GlobalTimeout": 4000,
        "DefaultResult": "CONTINUE",
    }
    with pytest.raises(ClientError, match="HeartbeatTimeout must be between 30 and 7200"):
        autoscaling.put_lifecycle_hook(AutoScalingGroupName=fleet.group, **_hook("b", LAUNCHING, HeartbeatTimeout=1))


def test_an_action_ends_with_its_heartbeat_and_no_heartbeat_lasts_beyond_the_longest_wait() -> None:
    action = LifecycleAction("up", heartbeat=30, longest=70, default="ABANDON", began=100)
    assert (action.result(129.9), action.result(130)) == (None, "ABANDON")
    assert "Heartbeat Timeout" in action.message()
    action.beat(125)
    assert (action.result(154.9), action.result(155)) == (None, "ABANDON")
    action.beat(154)
    assert (action.result(169.9), action.result(170)) == (None, "ABANDON")


def test_one_abandon_ends_the_wait_and_continue_has_to_come_from_all() -> None:
    one, other = (LifecycleAction(name, 30, 3000, "ABANDON", began=0) for name in ("one", "other"))
    one.answer = "CONTINUE"
    assert outcome([one, other], 1) is None
    other.answer = "CONTINUE"
    assert outcome([one, other], 1) == "CONTINUE"
    other.answer = "ABANDON"
    assert outcome([one, other], 1) == "ABANDON"
    assert outcome([], 1) == "CONTINUE"


def _state(control: Control, instance: str) -> str:
    answer = control.client("ec2").describe_instances(InstanceIds=[instance])
    state: str = answer["Reservations"][0]["Instances"][0]["State"]["Name"]
    return state

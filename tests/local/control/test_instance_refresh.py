"""An instance refresh replaces instances one by one, waits for health, and ends with a status and a reason."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.control.services.autoscaling_refresh import LONGEST_STALL, Refresh
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import Fleet, make_alarm, make_fleet, set_alarm

BAKE_TIME = 1
ONE_BY_ONE = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110, "InstanceWarmup": 0}


def _start(fleet: Fleet, version: str, **preferences: Any) -> str:
    desired = {"LaunchTemplate": {"LaunchTemplateId": fleet.template, "Version": version}}
    answer = fleet.control.client("autoscaling").start_instance_refresh(
        AutoScalingGroupName=fleet.group,
        DesiredConfiguration=desired,
        Preferences={**ONE_BY_ONE, **preferences},
    )
    refresh_id: str = answer["InstanceRefreshId"]
    return refresh_id


def _latest(fleet: Fleet) -> dict[str, Any]:
    answer = fleet.control.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=fleet.group)
    found: dict[str, Any] = answer["InstanceRefreshes"][0]
    return found


def _wait_for(fleet: Fleet, status: str) -> dict[str, Any]:
    wait_until(lambda: _latest(fleet)["Status"] == status)
    return _latest(fleet)


def _drain_until(fleet: Fleet, status: str) -> dict[str, Any]:
    """Plays the balancer: new instances are healthy, draining ones have no request in flight."""

    def reached() -> bool:
        leaving = [instance for instance, state in fleet.health().items() if state == "draining"]
        if leaving:
            fleet.report("unused", *leaving)
        new = [instance for instance, state in fleet.health().items() if state == "initial"]
        if new:
            fleet.report("healthy", *new)
        return bool(_latest(fleet)["Status"] == status)

    wait_until(reached)
    return _latest(fleet)


def _versions(fleet: Fleet) -> list[str]:
    instances = fleet.describe()["Instances"]
    return sorted(each["LaunchTemplate"]["Version"] for each in instances if each["LifecycleState"] == "InService")


def test_a_refresh_without_a_data_plane_succeeds_and_the_group_takes_the_version_over(control: Control) -> None:
    fleet = make_fleet(control, desired=3)
    refresh_id = _start(fleet, fleet.new_version())
    done = _wait_for(fleet, "Successful")
    assert (done["InstanceRefreshId"], done["PercentageComplete"], done["InstancesToUpdate"]) == (refresh_id, 100, 0)
    assert _versions(fleet) == ["2", "2", "2"]
    assert fleet.describe()["LaunchTemplate"]["Version"] == "2"


def test_an_old_instance_leaves_only_when_its_replacement_is_healthy(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    fleet.report("healthy")
    old = set(fleet.in_service())
    _start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    (new,) = set(fleet.in_service()) - old
    assert fleet.health()[new] == "initial"
    assert (_latest(fleet)["PercentageComplete"], _latest(fleet)["InstancesToUpdate"]) == (0, 2)
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"
    fleet.report("healthy", new)
    wait_until(lambda: "draining" in fleet.health().values())
    assert _latest(fleet)["PercentageComplete"] == 50
    _drain_until(fleet, "Successful")
    assert not old & set(fleet.in_service())
    assert _versions(fleet) == ["2", "2"]


def test_a_replacement_that_fails_its_health_checks_is_replaced_and_the_refresh_tries_again(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=0)
    fleet.report("healthy")
    old = set(fleet.in_service())
    _start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    (new,) = set(fleet.in_service()) - old
    assert f"{new} has insufficient data to evaluate its health" in _latest(fleet)["StatusReason"]
    fleet.report("unhealthy", new)
    wait_until(lambda: len(fleet.in_service()) == 3 and new not in fleet.in_service())
    (again,) = set(fleet.in_service()) - old
    assert _latest(fleet)["Status"] == "InProgress"
    assert again in _latest(fleet)["StatusReason"]
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"
    fleet.report("healthy", again)
    _drain_until(fleet, "Successful")
    assert _versions(fleet) == ["2", "2"]


def test_an_alarm_fails_the_refresh_and_says_why(reported: Control) -> None:
    fleet, alarm = make_fleet(reported), make_alarm(reported)
    fleet.report("healthy")
    _start(fleet, fleet.new_version(), AlarmSpecification={"Alarms": [alarm]})
    wait_until(lambda: len(fleet.in_service()) == 3)
    set_alarm(reported, alarm, "ALARM", "too many errors")
    failed = _wait_for(fleet, "Failed")
    assert failed["StatusReason"] == f"CloudWatch alarm {alarm} is in the ALARM state: too many errors"
    assert failed["EndTime"] >= failed["StartTime"]
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"


def test_an_alarm_turns_a_refresh_round_that_may(reported: Control) -> None:
    fleet, alarm = make_fleet(reported), make_alarm(reported)
    fleet.report("healthy")
    old = set(fleet.in_service())
    _start(fleet, fleet.new_version(), AutoRollback=True, AlarmSpecification={"Alarms": [alarm]})
    wait_until(lambda: len(fleet.in_service()) == 3)
    set_alarm(reported, alarm, "ALARM", "too many errors")
    done = _drain_until(fleet, "RollbackSuccessful")
    rollback = done["RollbackDetails"]
    assert f"Instance refresh failed: CloudWatch alarm {alarm}" in rollback["RollbackReason"]
    assert (rollback["PercentageCompleteOnRollback"], rollback["InstancesToUpdateOnRollback"]) == (0, 2)
    assert (done["PercentageComplete"], done["InstancesToUpdate"]) == (0, 2)
    assert set(fleet.in_service()) == old


def test_an_alarm_in_the_bake_time_brings_the_old_version_back(control: Control) -> None:
    fleet, alarm = make_fleet(control), make_alarm(control)
    _start(fleet, fleet.new_version(), AutoRollback=True, BakeTime=600, AlarmSpecification={"Alarms": [alarm]})
    _wait_for(fleet, "Baking")
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"
    set_alarm(control, alarm, "ALARM", "too slow")
    done = _wait_for(fleet, "RollbackSuccessful")
    assert "too slow" in done["StatusReason"]
    assert done["RollbackDetails"]["PercentageCompleteOnRollback"] == 100
    assert _versions(fleet) == ["1", "1"]


def test_an_alarm_in_alarm_or_unknown_refuses_the_start(control: Control) -> None:
    fleet, alarm = make_fleet(control), make_alarm(control)
    with pytest.raises(ClientError, match="do not exist: no-such-alarm"):
        _start(fleet, fleet.new_version(), AlarmSpecification={"Alarms": [alarm, "no-such-alarm"]})
    set_alarm(control, alarm, "ALARM", "already bad")
    with pytest.raises(ClientError, match=f"{alarm} is in the ALARM state: already bad"):
        _start(fleet, fleet.new_version(), AlarmSpecification={"Alarms": [alarm]})
    answer = control.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=fleet.group)
    assert answer["InstanceRefreshes"] == []


def test_the_bake_time_is_over_only_when_every_instance_is_healthy(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=0)
    fleet.report("healthy")
    _start(fleet, fleet.new_version(), BakeTime=BAKE_TIME)
    _drain_until(fleet, "Baking")
    sick = fleet.in_service()[0]
    fleet.report("unhealthy", sick)
    wait_until(lambda: len(fleet.in_service()) == 2 and sick not in fleet.in_service())
    over = time.monotonic() + 2 * BAKE_TIME
    wait_until(lambda: time.monotonic() >= over)
    assert _latest(fleet)["Status"] == "Baking"
    assert _versions(fleet) == ["2", "2"]
    _drain_until(fleet, "Successful")


def test_a_rollback_by_hand_replaces_what_was_replaced(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    fleet.report("healthy")
    old = set(fleet.in_service())
    _start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    fleet.report("healthy")
    wait_until(lambda: "draining" in fleet.health().values())
    reported.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=fleet.group)
    assert _latest(fleet)["Status"] == "RollbackInProgress"
    _drain_until(fleet, "RollbackSuccessful")
    assert _versions(fleet) == ["1", "1"]
    assert old & set(fleet.in_service())
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"


def test_cancelling_stops_where_it_is(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    fleet.report("healthy")
    _start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    reported.client("autoscaling").cancel_instance_refresh(AutoScalingGroupName=fleet.group)
    _wait_for(fleet, "Cancelled")
    assert _versions(fleet) == ["1", "2"]
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        reported.client("autoscaling").cancel_instance_refresh(AutoScalingGroupName=fleet.group)


def test_there_is_one_refresh_at_a_time(reported: Control) -> None:
    fleet = make_fleet(reported)
    version = fleet.new_version()
    _start(fleet, version)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        _start(fleet, version)


def test_a_refresh_leaves_the_fleet_spread_over_the_zones(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    _start(fleet, fleet.new_version())
    _wait_for(fleet, "Successful")
    zones = Counter(each["AvailabilityZone"] for each in fleet.describe()["Instances"])
    assert zones == {"eu-central-1a": 2, "eu-central-1b": 2}
    answer = control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    assert sum(each["Description"].startswith("Launching") for each in answer["Activities"]) == 4 + 4


def test_skip_matching_replaces_nothing_that_already_matches(control: Control) -> None:
    fleet = make_fleet(control)
    before = fleet.in_service()
    _start(fleet, "1", SkipMatching=True)
    _wait_for(fleet, "Successful")
    assert fleet.in_service() == before


def test_bake_time_comes_after_the_last_replacement(control: Control) -> None:
    fleet = make_fleet(control)
    _start(fleet, fleet.new_version(), BakeTime=600)
    assert _wait_for(fleet, "Baking")["PercentageComplete"] == 100


def test_a_checkpoint_holds_the_refresh_for_its_delay(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    _start(fleet, fleet.new_version(), CheckpointPercentages=[50, 100], CheckpointDelay=600)
    assert _latest(fleet)["PercentageComplete"] == 50
    assert _versions(fleet).count("1") == 2
    control.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=fleet.group)
    _wait_for(fleet, "RollbackSuccessful")
    assert _versions(fleet) == ["1"] * 4


def test_a_checkpoint_is_passed_over_if_a_later_one_is_reached_too(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    _start(fleet, fleet.new_version(), CheckpointPercentages=[10, 40, 100], CheckpointDelay=1)
    assert _latest(fleet)["PercentageComplete"] == 50
    assert _wait_for(fleet, "Successful")["PercentageComplete"] == 100


def test_without_a_delay_a_checkpoint_holds_nothing_up(control: Control) -> None:
    fleet = make_fleet(control, desired=3)
    _start(fleet, fleet.new_version(), CheckpointPercentages=[1, 100], CheckpointDelay=0)
    _wait_for(fleet, "Successful")
    assert _versions(fleet) == ["2"] * 3


def test_a_last_checkpoint_below_100_ends_the_refresh_there(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    _start(fleet, fleet.new_version(), CheckpointPercentages=[50])
    assert _wait_for(fleet, "Successful")["PercentageComplete"] == 50
    assert _versions(fleet) == ["1", "1", "2", "2"]


def test_scaling_goes_on_at_a_checkpoint_with_the_new_version(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    _start(fleet, fleet.new_version(), CheckpointPercentages=[50, 100], CheckpointDelay=600)
    for desired, versions in ((4, ["1", "2", "2", "2"]), (1, ["2"])):
        control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=desired)
        assert _versions(fleet) == versions


def test_a_smaller_fleet_than_at_the_start_ends_the_refresh_all_the_same(reported: Control) -> None:
    fleet = make_fleet(reported, desired=4)
    fleet.report("healthy")
    _start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 5)
    reported.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=1)
    done = _drain_until(fleet, "Successful")
    assert (_versions(fleet), done["PercentageComplete"], done["InstancesToUpdate"]) == (["2"], 100, 0)


def test_a_suspended_refresh_waits(control: Control) -> None:
    fleet, autoscaling = make_fleet(control), control.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["InstanceRefresh"])
    _start(fleet, fleet.new_version())
    assert (_latest(fleet)["Status"], _versions(fleet)) == ("Pending", ["1", "1"])
    autoscaling.resume_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["InstanceRefresh"])
    _wait_for(fleet, "Successful")


def test_a_protected_instance_holds_the_refresh_up_until_it_is_free(control: Control) -> None:
    fleet, autoscaling = make_fleet(control), control.client("autoscaling")
    kept = fleet.in_service()[0]
    protect = {"AutoScalingGroupName": fleet.group, "InstanceIds": [kept]}
    autoscaling.set_instance_protection(**protect, ProtectedFromScaleIn=True)
    _start(fleet, fleet.new_version())
    assert _versions(fleet) == ["1", "2"]
    assert kept in _latest(fleet)["StatusReason"]
    autoscaling.set_instance_protection(**protect, ProtectedFromScaleIn=False)
    _wait_for(fleet, "Successful")
    assert _versions(fleet) == ["2", "2"]


def test_the_template_stays_as_it_is_while_a_refresh_changes_it(control: Control) -> None:
    fleet = make_fleet(control)
    _start(fleet, fleet.new_version(), BakeTime=600)
    template = {"LaunchTemplateId": fleet.template, "Version": "1"}
    with pytest.raises(ClientError, match="An active instance refresh with a desired configuration exists"):
        control.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=fleet.group, LaunchTemplate=template
        )
    control.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=fleet.group, MaxSize=5)


@pytest.mark.parametrize(
    "preferences",
    [
        {"MinHealthyPercentage": 0, "MaxHealthyPercentage": 200},
        {"CheckpointPercentages": [50, 20]},
        {"CheckpointDelay": 5},
        {"BakeTime": 172801},
        {"AlarmSpecification": {"Alarms": [f"alarm-{number}" for number in range(11)]}},
    ],
)
def test_preferences_that_aws_refuses_are_refused(control: Control, preferences: dict[str, Any]) -> None:
    fleet = make_fleet(control)
    with pytest.raises(ClientError, match="ValidationError"):
        _start(fleet, "1", **preferences)


def test_a_version_that_does_not_exist_is_refused(control: Control) -> None:
    fleet = make_fleet(control)
    with pytest.raises(ClientError, match="InvalidLaunchTemplateId"):
        _start(fleet, "99")


def test_auto_rollback_needs_a_numbered_version_in_the_group(control: Control) -> None:
    fleet = make_fleet(control)
    latest = {"LaunchTemplateId": fleet.template, "Version": "$Latest"}
    control.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=fleet.group, LaunchTemplate=latest)
    with pytest.raises(ClientError, match="AutoRollback parameter cannot be set to true"):
        _start(fleet, "1", AutoRollback=True)
    _start(fleet, "1", BakeTime=600)
    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        control.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=fleet.group)


def test_a_refresh_stalls_after_an_hour_without_progress() -> None:
    refresh = Refresh("group", {}, {}, "2", {"i-1", "i-2"}, {"i-1", "i-2"})
    assert not refresh.stalls(1000)
    assert not refresh.stalls(1000 + LONGEST_STALL - 1)
    refresh.count(2, 1)
    assert not refresh.stalls(1000 + LONGEST_STALL)
    refresh.count(2, 0)
    assert not refresh.stalls(1000 + 2 * LONGEST_STALL - 1)
    assert refresh.stalls(1000 + 2 * LONGEST_STALL)


def test_a_wait_that_was_asked_for_is_no_stall() -> None:
    refresh = Refresh("group", {"CheckpointPercentages": [50, 100], "CheckpointDelay": 9000}, {}, "2", {"i-1"}, {"i-1"})
    refresh.count(2, 1)
    assert not refresh.stalls(0)
    assert refresh.pass_checkpoint(0)
    assert not refresh.stalls(9000 + LONGEST_STALL - 1)
    assert refresh.stalls(9000 + LONGEST_STALL)

"""An instance refresh replaces instances one by one, waits for health, and ends with a status and a reason."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.refreshes import drain_until, latest, start, versions, wait_for
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import make_fleet


def test_a_refresh_without_a_data_plane_succeeds_and_the_group_takes_the_version_over(control: Control) -> None:
    fleet = make_fleet(control, desired=3)
    refresh_id = start(fleet, fleet.new_version())
    done = wait_for(fleet, "Successful")
    assert (done["InstanceRefreshId"], done["PercentageComplete"], done["InstancesToUpdate"]) == (refresh_id, 100, 0)
    assert versions(fleet) == ["2", "2", "2"]
    assert fleet.describe()["LaunchTemplate"]["Version"] == "2"


def test_an_old_instance_leaves_only_when_its_replacement_is_healthy(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    fleet.report("healthy")
    old = set(fleet.in_service())
    start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    (new,) = set(fleet.in_service()) - old
    assert fleet.health()[new] == "initial"
    assert (latest(fleet)["PercentageComplete"], latest(fleet)["InstancesToUpdate"]) == (0, 2)
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"
    fleet.report("healthy", new)
    wait_until(lambda: "draining" in fleet.health().values())
    assert latest(fleet)["PercentageComplete"] == 50
    drain_until(fleet, "Successful")
    assert not old & set(fleet.in_service())
    assert versions(fleet) == ["2", "2"]


def test_a_replacement_that_fails_its_health_checks_is_replaced_and_the_refresh_tries_again(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=0)
    fleet.report("healthy")
    old = set(fleet.in_service())
    start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    (new,) = set(fleet.in_service()) - old
    assert f"{new} has insufficient data to evaluate its health" in latest(fleet)["StatusReason"]
    fleet.report("unhealthy", new)
    wait_until(lambda: len(fleet.in_service()) == 3 and new not in fleet.in_service())
    (again,) = set(fleet.in_service()) - old
    assert latest(fleet)["Status"] == "InProgress"
    assert again in latest(fleet)["StatusReason"]
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"
    fleet.report("healthy", again)
    drain_until(fleet, "Successful")
    assert versions(fleet) == ["2", "2"]


def test_a_rollback_by_hand_replaces_what_was_replaced(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    fleet.report("healthy")
    old = set(fleet.in_service())
    start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    fleet.report("healthy")
    wait_until(lambda: "draining" in fleet.health().values())
    reported.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=fleet.group)
    assert latest(fleet)["Status"] == "RollbackInProgress"
    drain_until(fleet, "RollbackSuccessful")
    assert versions(fleet) == ["1", "1"]
    assert old & set(fleet.in_service())
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"


def test_cancelling_stops_where_it_is(reported: Control) -> None:
    fleet = make_fleet(reported, desired=2)
    fleet.report("healthy")
    start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    reported.client("autoscaling").cancel_instance_refresh(AutoScalingGroupName=fleet.group)
    wait_for(fleet, "Cancelled")
    assert versions(fleet) == ["1", "2"]
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        reported.client("autoscaling").cancel_instance_refresh(AutoScalingGroupName=fleet.group)


def test_there_is_one_refresh_at_a_time(reported: Control) -> None:
    fleet = make_fleet(reported)
    version = fleet.new_version()
    start(fleet, version)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        start(fleet, version)


def test_a_refresh_leaves_the_fleet_spread_over_the_zones(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    start(fleet, fleet.new_version())
    wait_for(fleet, "Successful")
    zones = Counter(each["AvailabilityZone"] for each in fleet.describe()["Instances"])
    assert zones == {"eu-central-1a": 2, "eu-central-1b": 2}
    answer = control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    assert sum(each["Description"].startswith("Launching") for each in answer["Activities"]) == 4 + 4


def test_skip_matching_replaces_nothing_that_already_matches(control: Control) -> None:
    fleet = make_fleet(control)
    before = fleet.in_service()
    start(fleet, "1", SkipMatching=True)
    wait_for(fleet, "Successful")
    assert fleet.in_service() == before


def test_a_smaller_fleet_than_at_the_start_ends_the_refresh_all_the_same(reported: Control) -> None:
    fleet = make_fleet(reported, desired=4)
    fleet.report("healthy")
    start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 5)
    reported.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=1)
    done = drain_until(fleet, "Successful")
    assert (versions(fleet), done["PercentageComplete"], done["InstancesToUpdate"]) == (["2"], 100, 0)


def test_a_suspended_refresh_waits(control: Control) -> None:
    fleet, autoscaling = make_fleet(control), control.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["InstanceRefresh"])
    start(fleet, fleet.new_version())
    assert (latest(fleet)["Status"], versions(fleet)) == ("Pending", ["1", "1"])
    autoscaling.resume_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["InstanceRefresh"])
    wait_for(fleet, "Successful")


def test_a_protected_instance_holds_the_refresh_up_until_it_is_free(control: Control) -> None:
    fleet, autoscaling = make_fleet(control), control.client("autoscaling")
    kept = fleet.in_service()[0]
    protect = {"AutoScalingGroupName": fleet.group, "InstanceIds": [kept]}
    autoscaling.set_instance_protection(**protect, ProtectedFromScaleIn=True)
    start(fleet, fleet.new_version())
    assert versions(fleet) == ["1", "2"]
    assert kept in latest(fleet)["StatusReason"]
    autoscaling.set_instance_protection(**protect, ProtectedFromScaleIn=False)
    wait_for(fleet, "Successful")
    assert versions(fleet) == ["2", "2"]


def test_the_template_stays_as_it_is_while_a_refresh_changes_it(control: Control) -> None:
    fleet = make_fleet(control)
    start(fleet, fleet.new_version(), BakeTime=600)
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
        start(fleet, "1", **preferences)


def test_a_version_that_does_not_exist_is_refused(control: Control) -> None:
    fleet = make_fleet(control)
    with pytest.raises(ClientError, match="InvalidLaunchTemplateId"):
        start(fleet, "99")


def test_auto_rollback_needs_a_numbered_version_in_the_group(control: Control) -> None:
    fleet = make_fleet(control)
    latest = {"LaunchTemplateId": fleet.template, "Version": "$Latest"}
    control.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=fleet.group, LaunchTemplate=latest)
    with pytest.raises(ClientError, match="AutoRollback parameter cannot be set to true"):
        start(fleet, "1", AutoRollback=True)
    start(fleet, "1", BakeTime=600)
    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        control.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=fleet.group)

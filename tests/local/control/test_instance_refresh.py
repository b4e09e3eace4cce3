"""An instance refresh replaces instances one by one, waits for health, and ends with a status and a reason."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, wait_until
from tests.local.control.stack import Fleet, make_fleet

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


def test_a_replacement_that_is_never_healthy_fails_the_refresh_and_says_which(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=1)
    fleet.report("healthy")
    old = set(fleet.in_service())
    _start(fleet, fleet.new_version())
    wait_until(lambda: len(fleet.in_service()) == 3)
    (new,) = set(fleet.in_service()) - old
    fleet.report("unhealthy", new)
    failed = _wait_for(fleet, "Failed")
    assert new in failed["StatusReason"]
    wait_until(lambda: len(fleet.in_service()) == 2)
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"


def test_auto_rollback_brings_the_old_version_back(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=1)
    fleet.report("healthy")
    old = set(fleet.in_service())
    _start(fleet, fleet.new_version(), AutoRollback=True)
    wait_until(lambda: len(fleet.in_service()) == 3)
    (new,) = set(fleet.in_service()) - old
    fleet.report("unhealthy", new)
    done = _drain_until(fleet, "RollbackSuccessful")
    assert new in done["RollbackDetails"]["RollbackReason"]
    assert set(fleet.in_service()) == old


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
    with pytest.raises(ClientError, match="ActiveInstanceRefreshNotFound"):
        reported.client("autoscaling").cancel_instance_refresh(AutoScalingGroupName=fleet.group)


def test_there_is_one_refresh_at_a_time(reported: Control) -> None:
    fleet = make_fleet(reported)
    version = fleet.new_version()
    _start(fleet, version)
    with pytest.raises(ClientError, match="InstanceRefreshInProgress"):
        _start(fleet, version)


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


@pytest.mark.parametrize(
    "preferences",
    [{"CheckpointPercentages": [50]}, {"MinHealthyPercentage": 0, "MaxHealthyPercentage": 200}],
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
    with pytest.raises(ClientError, match="IrreversibleInstanceRefresh"):
        _start(fleet, "1", AutoRollback=True)

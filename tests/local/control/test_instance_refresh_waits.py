"""An instance refresh waits at checkpoints and for its bake time; a longer wait than was asked for is a stall."""

from __future__ import annotations

import time

from local.control.services.autoscaling_refresh import LONGEST_STALL, Refresh
from tests.local.control.refreshes import drain_until, latest, start, versions, wait_for
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import make_fleet

BAKE_TIME = 1


def test_the_bake_time_is_over_only_when_every_instance_is_healthy(reported: Control) -> None:
    fleet = make_fleet(reported, HealthCheckGracePeriod=0)
    fleet.report("healthy")
    start(fleet, fleet.new_version(), BakeTime=BAKE_TIME)
    drain_until(fleet, "Baking")
    sick = fleet.in_service()[0]
    fleet.report("unhealthy", sick)
    wait_until(lambda: len(fleet.in_service()) == 2 and sick not in fleet.in_service())
    over = time.monotonic() + 2 * BAKE_TIME
    wait_until(lambda: time.monotonic() >= over)
    assert latest(fleet)["Status"] == "Baking"
    assert versions(fleet) == ["2", "2"]
    drain_until(fleet, "Successful")


def test_bake_time_comes_after_the_last_replacement(control: Control) -> None:
    fleet = make_fleet(control)
    start(fleet, fleet.new_version(), BakeTime=600)
    assert wait_for(fleet, "Baking")["PercentageComplete"] == 100


def test_a_checkpoint_holds_the_refresh_for_its_delay(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    start(fleet, fleet.new_version(), CheckpointPercentages=[50, 100], CheckpointDelay=600)
    assert latest(fleet)["PercentageComplete"] == 50
    assert versions(fleet).count("1") == 2
    control.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName=fleet.group)
    wait_for(fleet, "RollbackSuccessful")
    assert versions(fleet) == ["1"] * 4


def test_a_checkpoint_is_passed_over_if_a_later_one_is_reached_too(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    start(fleet, fleet.new_version(), CheckpointPercentages=[10, 40, 100], CheckpointDelay=1)
    assert latest(fleet)["PercentageComplete"] == 50
    assert wait_for(fleet, "Successful")["PercentageComplete"] == 100


def test_without_a_delay_a_checkpoint_holds_nothing_up(control: Control) -> None:
    fleet = make_fleet(control, desired=3)
    start(fleet, fleet.new_version(), CheckpointPercentages=[1, 100], CheckpointDelay=0)
    wait_for(fleet, "Successful")
    assert versions(fleet) == ["2"] * 3


def test_a_last_checkpoint_below_100_ends_the_refresh_there(control: Control) -> None:
    fleet = make_fleet(control, desired=4)
    start(fleet, fleet.new_version(), CheckpointPercentages=[50])
    assert wait_for(fleet, "Successful")["PercentageComplete"] == 50
    assert versions(fleet) == ["1", "1", "2", "2"]


def test_scaling_goes_on_at_a_checkpoint_with_the_new_version(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    start(fleet, fleet.new_version(), CheckpointPercentages=[50, 100], CheckpointDelay=600)
    for desired, expected in ((4, ["1", "2", "2", "2"]), (1, ["2"])):
        control.client("autoscaling").set_desired_capacity(AutoScalingGroupName=fleet.group, DesiredCapacity=desired)
        assert versions(fleet) == expected


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

"""An alarm fails an instance refresh, turns it round if it may, and refuses the start of one."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.control.refreshes import drain_until, start, versions, wait_for
from tests.local.control.running import Control, wait_until
from tests.local.control.stack import make_alarm, make_fleet, set_alarm


def test_an_alarm_fails_the_refresh_and_says_why(reported: Control) -> None:
    fleet, alarm = make_fleet(reported), make_alarm(reported)
    fleet.report("healthy")
    start(fleet, fleet.new_version(), AlarmSpecification={"Alarms": [alarm]})
    wait_until(lambda: len(fleet.in_service()) == 3)
    set_alarm(reported, alarm, "ALARM", "too many errors")
    failed = wait_for(fleet, "Failed")
    assert failed["StatusReason"] == f"CloudWatch alarm {alarm} is in the ALARM state: too many errors"
    assert failed["EndTime"] >= failed["StartTime"]
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"


def test_an_alarm_turns_a_refresh_round_that_may(reported: Control) -> None:
    fleet, alarm = make_fleet(reported), make_alarm(reported)
    fleet.report("healthy")
    old = set(fleet.in_service())
    start(fleet, fleet.new_version(), AutoRollback=True, AlarmSpecification={"Alarms": [alarm]})
    wait_until(lambda: len(fleet.in_service()) == 3)
    set_alarm(reported, alarm, "ALARM", "too many errors")
    done = drain_until(fleet, "RollbackSuccessful")
    rollback = done["RollbackDetails"]
    assert f"Instance refresh failed: CloudWatch alarm {alarm}" in rollback["RollbackReason"]
    assert (rollback["PercentageCompleteOnRollback"], rollback["InstancesToUpdateOnRollback"]) == (0, 2)
    assert (done["PercentageComplete"], done["InstancesToUpdate"]) == (0, 2)
    assert set(fleet.in_service()) == old


def test_an_alarm_in_the_bake_time_brings_the_old_version_back(control: Control) -> None:
    fleet, alarm = make_fleet(control), make_alarm(control)
    start(fleet, fleet.new_version(), AutoRollback=True, BakeTime=600, AlarmSpecification={"Alarms": [alarm]})
    wait_for(fleet, "Baking")
    assert fleet.describe()["LaunchTemplate"]["Version"] == "1"
    set_alarm(control, alarm, "ALARM", "too slow")
    done = wait_for(fleet, "RollbackSuccessful")
    assert "too slow" in done["StatusReason"]
    assert done["RollbackDetails"]["PercentageCompleteOnRollback"] == 100
    assert versions(fleet) == ["1", "1"]


def test_an_alarm_in_alarm_or_unknown_refuses_the_start(control: Control) -> None:
    fleet, alarm = make_fleet(control), make_alarm(control)
    with pytest.raises(ClientError, match="do not exist: no-such-alarm"):
        start(fleet, fleet.new_version(), AlarmSpecification={"Alarms": [alarm, "no-such-alarm"]})
    set_alarm(control, alarm, "ALARM", "already bad")
    with pytest.raises(ClientError, match=f"{alarm} is in the ALARM state: already bad"):
        start(fleet, fleet.new_version(), AlarmSpecification={"Alarms": [alarm]})
    answer = control.client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=fleet.group)
    assert answer["InstanceRefreshes"] == []

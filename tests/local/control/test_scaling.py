"""Scaling by metrics at the control plane's doors: what is measured goes in, alarms ring, the desired capacity moves.

A minute of CloudWatch lasts a tenth of a second here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, running_control, wait_until
from tests.local.control.stack import Fleet, make_fleet, name

MINUTE = 0.1
BUSY, IDLE = 90.0, 5.0
CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50.0}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with running_control(tmp_path_factory.mktemp("control"), minute=MINUTE) as control:
        yield control


def track(fleet: Fleet, tracking: dict[str, Any] = CPU, **options: Any) -> dict[str, Any]:
    """Gives a group a target tracking policy; returns what PutScalingPolicy answers."""
    answer: dict[str, Any] = fleet.control.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=fleet.group,
        PolicyName=options.pop("policy", name("policy")),
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={**tracking, **options},
    )
    return answer


def load(fleet: Fleet, percent: float, done: Callable[[], bool], requests: int = 0, seconds: float = 20) -> None:
    """Reports the same load again and again until `done`."""
    label = fleet.load_balancer.rpartition("/")[0].rpartition("/")[2]

    def reported() -> bool:
        fleet.control.local("POST", "metrics", report(fleet, percent, label, requests))
        return done()

    wait_until(reported, seconds)


def report(fleet: Fleet, percent: float, balancer: str, requests: int) -> dict[str, Any]:
    group = fleet.target_group.split("/")[1]
    went = {"load_balancer": balancer, "target_group": group, "target": "i-1", "status": 200, "seconds": 0.01}
    return {
        "instances": dict.fromkeys(fleet.in_service(), percent),
        "requests": [{**went, "count": requests}] if requests else [],
    }


def desired(fleet: Fleet) -> int:
    return int(fleet.describe()["DesiredCapacity"])


def causes(fleet: Fleet) -> list[str]:
    answer = fleet.control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    return [activity["Cause"] for activity in answer["Activities"]]


def moved(fleet: Fleet, move: str) -> datetime:
    """When the first instance came or went for such a move of the desired capacity."""
    answer = fleet.control.client("autoscaling").describe_scaling_activities(AutoScalingGroupName=fleet.group)
    times: list[datetime] = [each["StartTime"] for each in answer["Activities"] if move in each["Cause"]]
    return min(times)


def alarms(fleet: Fleet) -> dict[str, dict[str, Any]]:
    """The group's tracking alarms, `High` and `Low` of each policy in any order."""
    prefix = f"TargetTracking-{fleet.group}-"
    found = fleet.control.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}


def minutes(count: int) -> Callable[[], bool]:
    """True once so many minutes of CloudWatch have passed."""
    end = time.monotonic() + count * MINUTE
    return lambda: time.monotonic() > end


def test_a_busy_fleet_grows_in_proportion_and_an_idle_one_shrinks_one_by_one(control: Control) -> None:
    fleet = make_fleet(control, desired=2, MaxSize=4)
    policy = track(fleet)
    load(fleet, BUSY, lambda: desired(fleet) == 4)
    assert "AlarmHigh" in causes(fleet)[0]
    assert f"triggered policy {policy['PolicyARN'].rpartition('/')[2]} changing" in causes(fleet)[0]
    assert "changing the desired capacity from 2 to 4." in causes(fleet)[0]
    zones = [each["AvailabilityZone"] for each in fleet.describe()["Instances"]]
    assert zones.count("eu-central-1a") == zones.count("eu-central-1b")
    load(fleet, IDLE, lambda: desired(fleet) == 1)
    sentences = [sentence for sentence in reversed(causes(fleet)) if "AlarmLow" in sentence]
    steps = [sentence.partition("desired capacity from ")[2].split(".")[0] for sentence in sentences]
    assert steps[-3:] == ["4 to 3", "3 to 2", "2 to 1"]


def test_the_alarms_are_those_that_aws_makes_and_go_with_their_policy(control: Control) -> None:
    fleet = make_fleet(control)
    policy = track(fleet, policy=name("policy"))
    low, high = sorted(alarms(fleet).values(), key=lambda alarm: alarm["Threshold"])
    assert {alarm["AlarmName"] for alarm in policy["Alarms"]} == set(alarms(fleet))
    assert (high["EvaluationPeriods"], high["Period"], high["ComparisonOperator"]) == (3, 60, "GreaterThanThreshold")
    assert (low["EvaluationPeriods"], low["Threshold"], low["ComparisonOperator"]) == (15, 45, "LessThanThreshold")
    assert high["Dimensions"] == [{"Name": "AutoScalingGroupName", "Value": fleet.group}]
    assert high["AlarmActions"] == [policy["PolicyARN"]]
    before = set(alarms(fleet))
    track(fleet, policy=policy["PolicyARN"].rpartition("/")[2], TargetValue=60.0, DisableScaleIn=True)
    (changed,) = alarms(fleet).values()
    assert changed["Threshold"] == 60
    assert changed["AlarmName"] in before
    control.client("autoscaling").delete_policy(
        AutoScalingGroupName=fleet.group, PolicyName=policy["PolicyARN"].rpartition("/")[2]
    )
    assert alarms(fleet) == {}
    track(fleet)
    control.client("autoscaling").delete_auto_scaling_group(AutoScalingGroupName=fleet.group, ForceDelete=True)
    assert alarms(fleet) == {}


def test_requests_per_target_scale_too_and_the_larger_wish_wins(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    track(fleet)
    label = "/".join(
        (fleet.load_balancer.partition("loadbalancer/")[2], fleet.target_group.rpartition(":")[2].strip("/"))
    )
    requests = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}
    track(fleet, {"PredefinedMetricSpecification": requests, "TargetValue": 1.0})
    load(fleet, 60, lambda: desired(fleet) == 6, requests=500)


def test_in_only_if_all_policies_agree(control: Control) -> None:
    fleet = make_fleet(control, desired=3)
    track(fleet)
    own = {"MetricName": "Queue", "Namespace": fleet.group, "Statistic": "Average"}
    track(fleet, {"CustomizedMetricSpecification": own, "TargetValue": 10.0})
    cloudwatch = control.client("cloudwatch")

    def waiting(length: float, done: Callable[[], bool]) -> Callable[[], bool]:
        def told() -> bool:
            cloudwatch.put_metric_data(Namespace=fleet.group, MetricData=[{"MetricName": "Queue", "Value": length}])
            return done()

        return told

    load(fleet, IDLE, waiting(10, minutes(20)))
    assert any(alarm["StateValue"] == "ALARM" for alarm in alarms(fleet).values())
    assert desired(fleet) == 3
    calm = datetime.now(UTC)
    load(fleet, IDLE, waiting(1, lambda: desired(fleet) == 1))
    assert moved(fleet, "from 3 to 2") - calm > timedelta(seconds=12 * MINUTE)  # 15 minutes, less the one it began in


def test_clones_that_warm_up_are_not_counted_twice(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    track(fleet)
    control.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=fleet.group, DefaultInstanceWarmup=2)
    load(fleet, BUSY, lambda: desired(fleet) == 6)
    first, second = (moved(fleet, f"from {before}") for before in ("2 to 4", "4 to 6"))
    assert second - first >= timedelta(seconds=2)  # though the alarm rang on, once a minute


def test_suspended_alarms_and_switched_off_policies_move_nothing(control: Control) -> None:
    fleet = make_fleet(control, desired=2)
    track(fleet)
    autoscaling = control.client("autoscaling")
    autoscaling.suspend_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["AlarmNotification"])
    load(fleet, BUSY, lambda: any(alarm["StateValue"] == "ALARM" for alarm in alarms(fleet).values()))
    load(fleet, BUSY, minutes(3))
    assert desired(fleet) == 2
    autoscaling.resume_processes(AutoScalingGroupName=fleet.group, ScalingProcesses=["AlarmNotification"])
    load(fleet, BUSY, lambda: desired(fleet) > 2)


def test_a_step_policy_acts_for_an_alarm_of_ones_own_once_a_minute_while_it_rings(control: Control) -> None:
    fleet, metric = make_fleet(control, desired=1), name("metric")
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 2},
    ]
    policy = control.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=fleet.group,
        PolicyName=name("policy"),
        PolicyType="StepScaling",
        AdjustmentType="ChangeInCapacity",
        StepAdjustments=steps,
    )
    ring(control, metric, policy["PolicyARN"])
    put(control, metric, 25)
    wait_until(lambda: desired(fleet) == 3)
    put(control, metric, 25)
    wait_until(lambda: desired(fleet) >= 5)


def test_a_simple_policy_cools_down(control: Control) -> None:
    fleet, metric = make_fleet(control, desired=1), name("metric")
    policy = control.client("autoscaling").put_scaling_policy(
        AutoScalingGroupName=fleet.group,
        PolicyName=name("policy"),
        PolicyType="SimpleScaling",
        AdjustmentType="ChangeInCapacity",
        ScalingAdjustment=1,
        Cooldown=60,
    )
    ring(control, metric, policy["PolicyARN"])
    put(control, metric, 99)
    wait_until(lambda: desired(fleet) == 2)
    wait_until(minutes(5))
    assert desired(fleet) == 2


def test_alarms_are_evaluated_and_their_history_is_kept(control: Control) -> None:
    metric, cloudwatch = name("metric"), control.client("cloudwatch")
    ring(control, metric)
    assert state(control, metric)["StateValue"] == "INSUFFICIENT_DATA"
    put(control, metric, 99)
    rung = wait_until(lambda: (found := state(control, metric))["StateValue"] == "ALARM" and found)
    assert "1 out of the last datapoint [99.0 (" in rung["StateReason"]
    assert "was greater than the threshold (10.0)" in rung["StateReason"]
    put(control, metric, 1)
    wait_until(lambda: state(control, metric)["StateValue"] == "OK")
    items = cloudwatch.describe_alarm_history(AlarmName=metric)["AlarmHistoryItems"]
    assert items[0]["HistorySummary"] == "Alarm updated from ALARM to OK"


def test_a_state_that_was_set_by_hand_lasts_a_minute(control: Control) -> None:
    metric = name("metric")
    ring(control, metric)
    begun = datetime.now(UTC)
    control.client("cloudwatch").set_alarm_state(AlarmName=metric, StateValue="ALARM", StateReason="by hand")
    assert state(control, metric)["StateValue"] == "ALARM"
    wait_until(lambda: state(control, metric)["StateValue"] == "INSUFFICIENT_DATA")
    assert state(control, metric)["StateUpdatedTimestamp"] - begun > timedelta(seconds=MINUTE)


def test_statistics_and_percentiles_can_be_read(control: Control) -> None:
    metric, cloudwatch = name("metric"), control.client("cloudwatch")
    values = {"MetricName": metric, "Values": [1.0, 2.0, 100.0], "Counts": [90, 9, 1], "Unit": "Seconds"}
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[values])
    now = datetime.now(UTC)
    times = {"StartTime": now - timedelta(seconds=5), "EndTime": now + timedelta(seconds=5)}
    asked = {"Namespace": "Test", "MetricName": metric, "Period": 6000, **times}
    (point,) = cloudwatch.get_metric_statistics(**asked, Statistics=["Sum", "Maximum"])["Datapoints"]
    assert (point["Sum"], point["Maximum"], point["Unit"]) == (208, 100, "Seconds")
    (point,) = cloudwatch.get_metric_statistics(**asked, ExtendedStatistics=["p90", "p99.9"])["Datapoints"]
    assert point["ExtendedStatistics"] == {"p90": 1, "p99.9": 100}
    query = {"Metric": {"Namespace": "Test", "MetricName": metric}, "Period": 6000, "Stat": "SampleCount"}
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[{"Id": "one", "MetricStat": query}], **times)[
        "MetricDataResults"
    ]
    assert result["Values"] == [100]
    (listed,) = cloudwatch.list_metrics(Namespace="Test", MetricName=metric)["Metrics"]
    assert listed["Dimensions"] == []
    with pytest.raises(ClientError, match="not supported"):
        cloudwatch.get_metric_statistics(**asked, ExtendedStatistics=["tm90"])


@pytest.mark.parametrize(
    "tracking",
    [
        {"TargetValue": 1.0},
        {"TargetValue": 1.0, "PredefinedMetricSpecification": {"PredefinedMetricType": "ALBRequestCountPerTarget"}},
    ],
)
def test_a_policy_that_aws_refuses_is_refused_and_leaves_nothing(control: Control, tracking: dict[str, Any]) -> None:
    fleet = make_fleet(control)
    with pytest.raises(ClientError, match="ValidationError"):
        track(fleet, tracking)
    assert alarms(fleet) == {}
    assert control.client("autoscaling").describe_policies(AutoScalingGroupName=fleet.group)["ScalingPolicies"] == []


def test_a_report_that_is_none_is_refused(control: Control) -> None:
    with pytest.raises(Exception, match="400"):
        control.local("POST", "metrics", {"instances": {"i-1": "busy"}, "requests": []})


def ring(control: Control, metric: str, *actions: str) -> None:
    """An alarm of the metric's name that rings above 10."""
    control.client("cloudwatch").put_metric_alarm(
        AlarmName=metric,
        Namespace="Test",
        MetricName=metric,
        Statistic="Maximum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=list(actions),
    )


def put(control: Control, metric: str, value: float) -> None:
    control.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[{"MetricName": metric, "Value": value}])


def state(control: Control, alarm: str) -> dict[str, Any]:
    found: dict[str, Any] = control.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]
    return found

"""The alarms: each names a cause and a runbook, and the dashboard shows the same."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.infra.recorder import Resources

Made = Callable[..., Resources]
RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"


def runbooks_of(resources: Resources) -> set[str]:
    found = set()
    for alarm in resources.of("MetricAlarm"):
        match = re.fullmatch(r"(.+)\. What to do: docs/runbooks/(.+)\.md", alarm.inputs["alarmDescription"])
        assert match, alarm.name
        found.add(match[2])
    return found


def test_every_alarm_names_a_runbook_that_exists(made: Made) -> None:
    for runbook in runbooks_of(made("prod")):
        assert (RUNBOOKS / f"{runbook}.md").read_text().startswith("# "), runbook


def test_everything_that_matters_is_watched(made: Made) -> None:
    watched = {(one.inputs["namespace"], one.inputs["metricName"]) for one in made("prod").of("MetricAlarm")}
    assert watched == {
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"),
        ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"),
        ("AWS/ApplicationELB", "UnHealthyHostCount"),
        ("AWS/ApplicationELB", "TargetResponseTime"),
        ("AWS/RDS", "ReplicaLag"),
        ("AWS/RDS", "FreeStorageSpace"),
        ("AWS/ElastiCache", "DatabaseMemoryUsagePercentage"),
        ("AWS/ElastiCache", "Evictions"),
        ("AWS/ElastiCache", "CacheHitRate"),
    }


def test_every_replica_and_node_is_watched(made: Made) -> None:
    dimensions = [one.inputs["dimensions"] for one in made("prod").of("MetricAlarm")]
    servers = {one["DBInstanceIdentifier"] for one in dimensions if "DBInstanceIdentifier" in one}
    assert servers == {one.inputs["identifier"] for one in made("prod").of("aws:rds/instance:Instance")}
    nodes = {one["CacheClusterId"] for one in dimensions if "CacheClusterId" in one}
    assert nodes >= {f"goldfleet-prod-sessions-{number:03d}" for number in (1, 2, 3)}


def test_any_eviction_from_the_session_store_is_an_alarm(made: Made) -> None:
    alarms = [one.inputs for one in made("prod").of("MetricAlarm") if one.inputs["metricName"] == "Evictions"]
    assert {(a["threshold"], a["comparisonOperator"], a["evaluationPeriods"]) for a in alarms} == {
        (0, "GreaterThanThreshold", 1)
    }


def test_a_percentile_is_an_extended_statistic(made: Made) -> None:
    slow = made("prod").one("MetricAlarm", "alarms-slow-answers").inputs
    assert slow["extendedStatistic"] == "p99"
    assert "statistic" not in slow


def test_the_dashboard_has_the_alarms_rows(made: Made) -> None:
    resources = made("prod")
    widgets = json.loads(resources.one("Dashboard").inputs["dashboardBody"])["widgets"]
    assert len(widgets) == len(resources.of("MetricAlarm"))
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == len(widgets)
    first = widgets[0]["properties"]["metrics"][0]
    assert first[:4] == ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", "app/b/1"]


def test_alarms_reach_the_address(made: Made) -> None:
    assert made("prod").one("TopicSubscription").inputs["endpoint"] == "ops@example.com"
    assert not made("dev").of("TopicSubscription")


def test_the_budget_tells_the_topic(made: Made) -> None:
    budget = made("dev").one("Budget").inputs
    assert (budget["limitAmount"], budget["timeUnit"]) == ("200", "MONTHLY")
    assert {one["notificationType"] for one in budget["notifications"]} == {"ACTUAL", "FORECASTED"}
    assert all(
        one["subscriberSnsTopicArns"] == ["arn:aws:mock:::alarms-topic-topic"] for one in budget["notifications"]
    )

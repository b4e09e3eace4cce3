"""The alarms: metric alarms and a dashboard from the same rows, RDS events and a monthly budget, one topic for all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names
from infra.alarm_rows import AlarmRow, Watched, alarm_rows
from infra.dashboard import dashboard
from infra.settings.alarms import Alarms as AlarmsSettings
from infra.topic import Topic, TopicArgs

RDS_EVENTS: Mapping[str, Sequence[str]] = {
    "db-instance": ("maintenance", "configuration change", "failure"),
    "db-parameter-group": ("configuration change",),
    "db-security-group": ("configuration change", "failure"),
}
BUDGET_PERCENT = 80


@dataclass(frozen=True)
class AlarmsArgs:
    """What is watched and who is told.

    Args:
        names: names of the stack.
        account_id, region: where the metrics are.
        watched: the components' ids.
        settings: the component's settings.
    """

    names: Names
    account_id: str
    region: str
    watched: Watched
    settings: AlarmsSettings


class Alarms(pulumi.ComponentResource):
    """Every alarm's description names its cause and its runbook; `topic_arn` is where they all go.

    `alarm_names` has the name of each alarm by its row's label.
    """

    topic_arn: pulumi.Output[str]
    alarm_names: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Alarms", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        topic = Topic(f"{name}-topic", TopicArgs(args.names, args.account_id, args.settings.email), self._child)
        self.topic_arn = topic.arn
        rows = alarm_rows(args.watched, args.settings)
        self.alarm_names = {row.label: self._alarm(row).name for row in rows}
        self._dashboard(rows)
        self._rds_events()
        self._budget()
        self.register_outputs({"topic_arn": self.topic_arn})

    def _alarm(self, row: AlarmRow) -> aws.cloudwatch.MetricAlarm:
        percentile = row.statistic.startswith("p")
        return aws.cloudwatch.MetricAlarm(
            f"{self._name}-{row.label}",
            name=self._args.names.of(row.label, length=255),
            alarm_description=f"{row.cause}. What to do: docs/runbooks/{row.runbook}.md",
            namespace=row.namespace,
            metric_name=row.metric,
            dimensions=dict(row.dimensions),
            statistic=None if percentile else row.statistic,
            extended_statistic=row.statistic if percentile else None,
            threshold=row.threshold,
            comparison_operator=row.comparison,
            period=60,
            evaluation_periods=row.minutes,
            treat_missing_data=row.missing,
            actions_enabled=True,
            alarm_actions=[self.topic_arn],
            ok_actions=[self.topic_arn],
            opts=self._child,
        )

    def _dashboard(self, rows: Sequence[AlarmRow]) -> None:
        body = pulumi.Output.all(*(row.dimensions for row in rows)).apply(
            lambda dimensions: json.dumps(dashboard(rows, dimensions, self._args.region))
        )
        aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard", dashboard_name=self._args.names.prefix, dashboard_body=body, opts=self._child
        )

    def _rds_events(self) -> None:
        for source, categories in RDS_EVENTS.items():
            aws.rds.EventSubscription(
                f"{self._name}-{source}",
                name=self._args.names.of(source),
                sns_topic=self.topic_arn,
                source_type=source,
                event_categories=list(categories),
                opts=self._child,
            )

    def _budget(self) -> None:
        aws.budgets.Budget(
            f"{self._name}-budget",
            name=self._args.names.of("monthly"),
            budget_type="COST",
            time_unit="MONTHLY",
            limit_amount=str(self._args.settings.monthly_budget_usd),
            limit_unit="USD",
            notifications=[self._notification("ACTUAL", BUDGET_PERCENT), self._notification("FORECASTED", 100)],
            opts=self._child,
        )

    def _notification(self, kind: str, percent: int) -> dict[str, Any]:
        return {
            "notification_type": kind,
            "comparison_operator": "GREATER_THAN",
            "threshold": float(percent),
            "threshold_type": "PERCENTAGE",
            "subscriber_sns_topic_arns": [self.topic_arn],
        }

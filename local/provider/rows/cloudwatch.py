"""Alarms and dashboards."""

from __future__ import annotations

from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Row
from local.provider.tagging import arn_tags


def _dimensions(dimensions: Values) -> list[Values]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _folded(dimensions: Any) -> Values:
    return {entry["Name"]: entry["Value"] for entry in dimensions or ()}


def _metrics(queries: list[Values]) -> list[Values]:
    """Metric queries as AWS nests them."""
    return [
        {**{key: item for key, item in query.items() if key != "metric"}, **_metric_stat(query.get("metric"))}
        for query in queries
    ]


def _metric_stat(metric: Values | None) -> Values:
    if not metric:
        return {}
    names = {key: metric[key] for key in ("metricName", "namespace") if key in metric}
    rest = {key: metric[key] for key in ("period", "stat", "unit") if key in metric}
    return {"metricStat": {"metric": {**names, "dimensions": _dimensions(metric.get("dimensions") or {})}, **rest}}


def _queries(found: Any, _it: Item) -> Any:
    """Metric queries as Pulumi flattens them."""
    return [_query(entry) for entry in found.get("Metrics") or ()] or None


def _query(entry: Values) -> Values:
    stat = entry.get("MetricStat")
    rest = {key: item for key, item in entry.items() if key != "MetricStat"}
    if not stat:
        return rest
    metric = {**stat["Metric"], "Dimensions": _folded(stat["Metric"].get("Dimensions"))}
    return {**rest, "Metric": {**metric, **{key: stat[key] for key in stat if key != "Metric"}}}


def _arn(it: Item) -> Values:
    return {"ResourceARN": it.aws.arn("cloudwatch", f"alarm:{it.id}")}


METRIC_ALARM = Row(
    kind="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    create=Call("put_metric_alarm"),
    id=lambda it: str(it["name"]),
    find=Find("describe_alarms", lambda it: {"AlarmNames": [it.id]}, "MetricAlarms[0]"),
    updates=(Call("put_metric_alarm", lambda it: {"AlarmName": it.id}, whole=True),),
    writes={
        "name": "AlarmName",
        "dimensions": ("Dimensions", _dimensions),
        "metricQueries": ("Metrics", _metrics),
        "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
    },
    reads={
        "arn": "AlarmArn",
        "dimensions": lambda found, _it: _folded(found.get("Dimensions")) or None,
        "metricQueries": _queries,
    },
    name=Name(length=255),
    tags=arn_tags("tag_resource", _arn, path="Tags"),
    delete=Call("delete_alarms", lambda it: {"AlarmNames": [it.id]}),
)

DASHBOARD = Row(
    kind="aws:cloudwatch/dashboard:Dashboard",
    service="cloudwatch",
    create=Call("put_dashboard"),
    id=lambda it: str(it["dashboardName"]),
    find=Find("get_dashboard", lambda it: {"DashboardName": it.id}),
    updates=(Call("put_dashboard", lambda it: {"DashboardName": it.id}, takes=("dashboardBody",)),),
    json=frozenset({"dashboardBody"}),
    delete=Call("delete_dashboards", lambda it: {"DashboardNames": [it.id]}),
)

ROWS = (METRIC_ALARM, DASHBOARD)

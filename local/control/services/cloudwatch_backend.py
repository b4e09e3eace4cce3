"""CloudWatch's metrics and alarms: metrics are kept by minute, statistics are CloudWatch's, alarms are evaluated.

AWS, API reference of CloudWatch: GetMetricStatistics, GetMetricData, ListMetrics, PutMetricAlarm, SetAlarmState.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.metric_data_expression_parser import parse_expression
from moto.cloudwatch.models import Alarm, CloudWatchBackend, MetricDatumBase, cloudwatch_backends

from local.control.alarm_plan import ALARM, INSUFFICIENT_DATA, AlarmRule, Datapoint, evaluate
from local.control.cloud import CLOUD
from local.control.metrics import Metric, Metrics, Point, statistic
from local.control.services.cloudwatch_minutes import minute_of, minutes_in, start_of, this_minute, timestamp


class Watch(CloudWatchBackend):
    """The metrics and alarms of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.metrics = Metrics()
        self._evaluated = this_minute()

    def add(self, points: Iterable[Point]) -> None:
        """Keeps what was measured just now."""
        minute = this_minute()
        for point in points:
            self.metrics.add(point, minute)

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        for number, told in enumerate(metric_data, 1):
            self._validate_parameters_put_metric_data(told, number)
        for told in metric_data:
            at = told.get("Timestamp")
            minute = this_minute() if at is None else minute_of(timestamp(at))
            for point in _told_points(namespace, told):
                self.metrics.add(point, minute)

    def get_all_metrics(self) -> list[MetricDatumBase]:
        """One datum for each metric, without values: what ListMetrics asks for."""
        own = [
            MetricDatumBase(each.namespace, each.name, _dimensions(each), None, self.metrics.unit(each))
            for each in self.metrics.names()
        ]
        return [*own, *self.aws_metric_data]

    def statistics(
        self, metric: Metric, names: Collection[str], times: tuple[datetime, datetime], period: int
    ) -> list[tuple[datetime, dict[str, float | None]]]:
        """Datapoints of a metric, oldest first: when each period began, and its statistics by name.

        Args:
            metric: whose.
            names: statistics and percentiles.
            times: where to begin, and where to end.
            period: CloudWatch's seconds.

        Raises:
            InvalidParameterValue: there is no such statistic, or the end is not after the start.
        """
        start, end = times
        if start >= end:
            raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
        first, after = minute_of(timestamp(start)), minute_of(timestamp(end)) + 1
        found = self.metrics.periods(metric, first, after, minutes_in(period))
        try:
            return [(start_of(at), {name: statistic(values, name) for name in names}) for at, values in found.items()]
        except ValueError as error:
            raise InvalidParameterValue(f"The value {error} for parameter Statistic is not supported.") from error

    def get_metric_data(
        self,
        queries: list[dict[str, Any]],
        start_time: datetime,
        end_time: datetime,
        scan_by: str = "TimestampAscending",
    ) -> list[dict[str, Any]]:
        found = [self._result(query, start_time, end_time) for query in queries if "MetricStat" in query]
        shown = [each for each, query in zip(found, queries, strict=False) if query.get("ReturnData", True)]
        for query in queries:
            if "Expression" in query:
                values, times = parse_expression(query["Expression"], found)
                shown.append(_data(query["Id"], query.get("Label") or query["Id"], list(times), list(values)))
        if scan_by == "TimestampDescending":
            for each in shown:
                each["timestamps"], each["values"] = each["timestamps"][::-1], each["values"][::-1]
        return shown

    def put_metric_alarm(self, name: str, *args: Any, **kwargs: Any) -> Alarm:
        """A new alarm knows nothing yet; a changed one keeps its state."""
        before = self.alarms.get(name)
        alarm = super().put_metric_alarm(name, *args, **kwargs)
        if before is None:
            alarm.state_value = INSUFFICIENT_DATA
        else:
            alarm.history, alarm.state_value = before.history, before.state_value
            alarm.state_reason, alarm.state_reason_data = before.state_reason, before.state_reason_data
            alarm.state_updated_timestamp = before.state_updated_timestamp
        return alarm

    def evaluate(self) -> Iterator[Alarm]:
        """Brings all alarms up to date, once a minute; yields those that changed or ring on, which is when they act."""
        minute = this_minute()
        if minute == self._evaluated:
            return
        self._evaluated = minute
        for alarm in list(self.alarms.values()):
            before = alarm.state_value
            rule = rule_of(alarm)
            if rule is not None and not _was_just_set(alarm):
                points = self._points(alarm, minute, rule.looked_at)
                verdict = evaluate(rule, points, before)
                if verdict.state != before:
                    alarm.update_state(verdict.reason, "{}", verdict.state)
            if alarm.state_value != before or alarm.state_value == ALARM:
                yield alarm

    def newest(self, alarm: Alarm) -> float | None:
        """The newest value of an alarm's metric in the periods that it looks at."""
        rule = rule_of(alarm)
        points = self._points(alarm, self._evaluated, rule.looked_at) if rule else []
        return next((point.value for point in reversed(points) if point.value is not None), None)

    def _points(self, alarm: Alarm, minute: int, count: int) -> list[Datapoint]:
        step, metric = minutes_in(alarm.period), metric_of(alarm)
        name = alarm.extended_statistic or alarm.statistic
        return [
            Datapoint(start_of(first), statistic(self.metrics.values(metric, first, first + step), name))
            for first in range(minute - count * step, minute, step)
        ]

    def _result(self, query: Mapping[str, Any], start: datetime, end: datetime) -> dict[str, Any]:
        asked, of = query["MetricStat"], query["MetricStat"]["Metric"]
        metric = metric_named(of["Namespace"], of["MetricName"], of.get("Dimensions"))
        points = self.statistics(metric, [asked["Stat"]], (start, end), int(asked["Period"]))
        label = query.get("Label") or f"{metric.name} {asked['Stat']}"
        return _data(query["Id"], label, [at for at, _ in points], [found[asked["Stat"]] for _, found in points])


def watch_of(account_id: str, region: str) -> Watch:
    """CloudWatch of an account and region."""
    watch = cloudwatch_backends[account_id][region]
    assert isinstance(watch, Watch)
    return watch


def rule_of(alarm: Alarm) -> AlarmRule | None:
    """When a metric alarm rings; None for alarms on expressions and on other alarms, which are not evaluated."""
    if alarm.rule is not None or alarm.metric_data_queries or not alarm.metric_name:
        return None
    evaluated = int(alarm.evaluation_periods)
    to_alarm = int(alarm.datapoints_to_alarm or evaluated)
    return AlarmRule(
        alarm.comparison_operator, float(alarm.threshold), evaluated, to_alarm, alarm.treat_missing_data or "missing"
    )


def metric_of(alarm: Alarm) -> Metric:
    """What an alarm watches."""
    pairs = frozenset((str(each.name), str(each.value)) for each in alarm.dimensions)
    return Metric(alarm.namespace, alarm.metric_name, pairs)


def metric_named(namespace: str, name: str, dimensions: Iterable[Mapping[str, str]] | None) -> Metric:
    """The metric that a call names."""
    return Metric(namespace, name, frozenset((each["Name"], each["Value"]) for each in dimensions or ()))


def _dimensions(metric: Metric) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in sorted(metric.dimensions)]


def _data(name: str, label: str, times: list[Any], values: list[Any]) -> dict[str, Any]:
    return {"id": name, "label": label, "timestamps": times, "values": values, "status_code": "Complete"}


def _told_points(namespace: str, told: Mapping[str, Any]) -> Iterator[Point]:
    metric = metric_named(namespace, told["MetricName"], told.get("Dimensions"))
    unit = told.get("Unit") or "None"
    if told.get("Values"):
        counts = told.get("Counts") or [1] * len(told["Values"])
        for value, count in zip(told["Values"], counts, strict=True):
            yield Point(metric, float(value), int(float(count)), unit)
    elif told.get("StatisticValues"):
        # What was between the extremes is not told: their mean keeps sum, count, minimum and maximum right.
        yield from _of_set(metric, {key: float(value) for key, value in told["StatisticValues"].items()}, unit)
    else:
        yield Point(metric, float(told.get("Value", 0)), unit=unit)


def _of_set(metric: Metric, told: Mapping[str, float], unit: str) -> Iterator[Point]:
    count = int(told["SampleCount"])
    if count > 2:
        between = (told["Sum"] - told["Minimum"] - told["Maximum"]) / (count - 2)
        yield Point(metric, between, count - 2, unit)
    for value in (told["Minimum"], told["Maximum"])[: max(count, 0)]:
        yield Point(metric, value, unit=unit)


def _was_just_set(alarm: Alarm) -> bool:
    """SetAlarmState lasts until the next evaluation; here for one whole minute at least."""
    return time.time() - timestamp(alarm.state_updated_timestamp) < CLOUD.minute

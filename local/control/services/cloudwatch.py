"""CloudWatch: the calls that moto lacks or answers without the metrics that are kept here.

AWS, API reference of CloudWatch: GetMetricStatistics, DescribeAlarmHistory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.cloudwatch import urls
from moto.cloudwatch.exceptions import InvalidParameterCombination
from moto.cloudwatch.models import Alarm, cloudwatch_backends
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from local.control.extend import use_backend, use_response
from local.control.services.cloudwatch_backend import Watch, metric_named, watch_of


class CloudWatchCalls(CloudWatchResponse):
    def get_metric_statistics(self) -> ActionResult:
        params = self._get_params()
        plain, extended = params.get("Statistics", []), params.get("ExtendedStatistics", [])
        if not plain and not extended:
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        metric = metric_named(params["Namespace"], params["MetricName"], params.get("Dimensions"))
        watch, times = watch_of(self.current_account, self.region), (params["StartTime"], params["EndTime"])
        points = [
            {
                "Timestamp": at,
                "Unit": watch.metrics.unit(metric),
                **{name: value for name, value in found.items() if name in plain},
                "ExtendedStatistics": {name: value for name, value in found.items() if name in extended},
            }
            for at, found in watch.statistics(metric, [*plain, *extended], times, int(params["Period"]))
        ]
        return ActionResult({"Label": metric.name, "Datapoints": points})

    def describe_alarm_history(self) -> ActionResult:
        name = self._get_param("AlarmName")
        alarms = [alarm for alarm in self.cloudwatch_backend.describe_alarms() if name in {None, alarm.name}]
        return ActionResult({"AlarmHistoryItems": [item for alarm in alarms for item in _history(alarm)]})


def _history(alarm: Alarm) -> Iterator[dict[str, Any]]:
    """Newest first. moto keeps the state before each change."""
    states = [(state, at) for _, _, _, state, at in alarm.history]
    changes = zip(states, [*states[1:], (alarm.state_value, alarm.state_updated_timestamp)], strict=True)
    for (before, _), (after, at) in reversed(list(changes)):
        yield {
            "AlarmName": alarm.name,
            "AlarmType": "MetricAlarm",
            "Timestamp": at,
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {before} to {after}",
        }


def install() -> None:
    """Puts this file in moto's place."""
    use_backend(cloudwatch_backends, Watch)
    use_response(urls, CloudWatchResponse, CloudWatchCalls)

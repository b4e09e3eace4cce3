"""From what the data plane has measured to the points that AWS's services send to CloudWatch. Pure.

AWS, "CloudWatch metrics for your Application Load Balancer", "List the available CloudWatch metrics for your
instances", "Set the default instance warmup for an Auto Scaling group".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.control.metrics import Metric, Point

_BALANCERS = "AWS/ApplicationELB"


@dataclass(frozen=True)
class Requests:
    """Requests that went the same way.

    Args:
        load_balancer, target_group: their names; no target group: the balancer answered by itself.
        target: instance id, empty if none was chosen.
        status: of the answer.
        seconds: that the target took, None if it did not answer.
        count: how many.
    """

    load_balancer: str
    target_group: str
    target: str
    status: int
    seconds: float | None
    count: int

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Requests:
        seconds = said["seconds"]
        return cls(
            str(said["load_balancer"]),
            str(said["target_group"]),
            str(said["target"]),
            int(said["status"]),
            None if seconds is None else float(seconds),
            int(said["count"]),
        )


@dataclass(frozen=True)
class Targets:
    """A target group behind a load balancer.

    Args:
        name: of the target group.
        dimension: what CloudWatch calls it, `targetgroup/NAME/ID`.
        load_balancer: what CloudWatch calls its balancer, `app/NAME/ID`.
        healthy, unhealthy: counts of targets.
    """

    name: str
    dimension: str
    load_balancer: str
    healthy: int
    unhealthy: int


def cpu_points(percents: Mapping[str, float], groups: Mapping[str, str]) -> Iterator[Point]:
    """CPU load of instances.

    Args:
        percents: by instance id.
        groups: the Auto Scaling group of each instance that is warm; others do not count for their group.
    """
    for instance, percent in percents.items():
        yield Point(Metric.of("AWS/EC2", "CPUUtilization", InstanceId=instance), percent, unit="Percent")
        if instance in groups:
            metric = Metric.of("AWS/EC2", "CPUUtilization", AutoScalingGroupName=groups[instance])
            yield Point(metric, percent, unit="Percent")


def request_points(
    requests: Sequence[Requests], balancers: Mapping[str, str], groups: Sequence[Targets]
) -> Iterator[Point]:
    """Load balancers and target groups.

    Args:
        requests: since the last report.
        balancers: what CloudWatch calls each load balancer, by name.
        groups: the target groups that are in use.
    """
    for name, dimension in balancers.items():
        yield from _balancer_points([each for each in requests if each.load_balancer == name], dimension)
    for group in groups:
        yield from _group_points([each for each in requests if each.target_group == group.name], group)


def _balancer_points(requests: Sequence[Requests], balancer: str) -> Iterator[Point]:
    for first in "345":
        own = _total(each for each in requests if each.seconds is None and each.status // 100 == int(first))
        if own:
            metric = Metric.of(_BALANCERS, f"HTTPCode_ELB_{first}XX_Count", LoadBalancer=balancer)
            yield Point(metric, float(own), unit="Count")
    yield from _answer_points([each for each in requests if each.target], LoadBalancer=balancer)


def _group_points(requests: Sequence[Requests], group: Targets) -> Iterator[Point]:
    dimensions = {"LoadBalancer": group.load_balancer, "TargetGroup": group.dimension}
    if not group.healthy + group.unhealthy:
        return
    yield from _answer_points([each for each in requests if each.target], **dimensions)
    yield Point(Metric.of(_BALANCERS, "HealthyHostCount", **dimensions), group.healthy, unit="Count")
    yield Point(Metric.of(_BALANCERS, "UnHealthyHostCount", **dimensions), group.unhealthy, unit="Count")
    if group.healthy:
        share = sum(each.count for each in requests if each.target) / group.healthy
        yield Point(Metric.of(_BALANCERS, "RequestCountPerTarget", **dimensions), share, unit="Count")
        yield Point(Metric.of(_BALANCERS, "RequestCountPerTarget", TargetGroup=group.dimension), share, unit="Count")


def _answer_points(requests: Sequence[Requests], **dimensions: str) -> Iterator[Point]:
    """Those for which a target was chosen; their counts are told even when they are nought."""
    answered = [each for each in requests if each.seconds is not None]
    yield Point(Metric.of(_BALANCERS, "RequestCount", **dimensions), float(_total(requests)), unit="Count")
    for first in "2345":
        count = float(_total(each for each in answered if each.status // 100 == int(first)))
        yield Point(Metric.of(_BALANCERS, f"HTTPCode_Target_{first}XX_Count", **dimensions), count, unit="Count")
    times = Metric.of(_BALANCERS, "TargetResponseTime", **dimensions)
    for each in answered:
        yield Point(times, each.seconds or 0.0, each.count, "Seconds")


def _total(requests: Iterable[Requests]) -> int:
    return sum(each.count for each in requests)

"""Takes what the data plane has measured, adds what the services know themselves, and keeps it as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.elbv2.models import FakeLoadBalancer, elbv2_backends

from local.control.measured import Requests, Targets, cpu_points, request_points
from local.control.metrics import Metric, Point
from local.control.services.autoscaling_backend import Groups
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_tracking import is_warm
from local.control.services.cloudwatch_backend import watch_of
from local.control.services.elbv2 import Balancers, WatchedTargetGroup


def keep_metrics(content: Mapping[str, Any]) -> None:
    """Keeps one report of the data plane, as docs/architecture.md describes it.

    Raises:
        KeyError, TypeError, ValueError: it is not such a report; nothing of it is kept.
    """
    percents = {str(name): float(percent) for name, percent in content["instances"].items()}
    requests = [Requests.from_json(said) for said in content["requests"]]
    for balancers in [backend for account in elbv2_backends.values() for backend in account.values()]:
        if isinstance(balancers, Balancers):
            watch_of(balancers.account_id, balancers.region_name).add(_balancing(balancers, requests))
    for groups in [backend for account in autoscaling_backends.values() for backend in account.values()]:
        if isinstance(groups, Groups):
            watch_of(groups.account_id, groups.region_name).add(_groups(groups, percents))


def _balancing(balancers: Balancers, requests: Sequence[Requests]) -> Iterator[Point]:
    names = {each.name: _dimension(each.arn) for each in balancers.load_balancers.values()}
    yield from request_points(requests, names, list(_targets(balancers)))


def _targets(balancers: Balancers) -> Iterator[Targets]:
    for group in balancers.target_groups.values():
        balancer = _balancer_of(balancers, group)
        if balancer is None:
            continue
        states = [each.status for each in balancers.describe_target_health(group.arn, [])]
        yield Targets(
            name=group.name,
            dimension=group.arn.rpartition(":")[2],
            load_balancer=_dimension(balancer.arn),
            healthy=states.count("healthy"),
            unhealthy=states.count("unhealthy"),
        )


def _balancer_of(balancers: Balancers, group: Any) -> FakeLoadBalancer | None:
    if not isinstance(group, WatchedTargetGroup):
        return None
    return next((balancers.load_balancers.get(arn) for arn in group.load_balancer_arns), None)


def _dimension(arn: str) -> str:
    return arn.partition(":loadbalancer/")[2]


def _groups(groups: Groups, percents: Mapping[str, float]) -> Iterator[Point]:
    found = [groups.group(name) for name in list(groups.autoscaling_groups)]
    of = {member.instance_id: group.name for group in found for member in group.in_service if is_warm(group, member)}
    yield from cpu_points(percents, of)
    for group in found:
        yield from _group_points(group)


def _group_points(group: Group) -> Iterator[Point]:
    """The metrics that were asked for by EnableMetricsCollection."""
    states = [member.lifecycle_state for member in group.members]
    counts = {
        "GroupMinSize": group.min_size,
        "GroupMaxSize": group.max_size,
        "GroupDesiredCapacity": group.desired_capacity,
        "GroupInServiceInstances": states.count("InService"),
        "GroupPendingInstances": sum(state.startswith("Pending") for state in states),
        "GroupTerminatingInstances": sum(state.startswith("Terminating") for state in states),
        "GroupTotalInstances": len(states),
    }
    for name in group.metrics:
        if name in counts:
            yield Point(Metric.of("AWS/AutoScaling", name, AutoScalingGroupName=group.name), float(counts[name] or 0))

"""Load balancers, listeners and target groups, as ELBv2 describes them -> what HAProxy should do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.plane.address import Address
from local.plane.pages import pages
from local.plane.wanted_balancing import (
    Balancing,
    FixedResponse,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Redirect,
    Rule,
    Target,
    TargetGroup,
)

_LEAVING = "draining"


@dataclass(frozen=True)
class Balanced:
    """What is described; `not_imitated` as in `Wanted`."""

    balancing: Balancing
    targets: tuple[Target, ...]
    not_imitated: frozenset[str]


def balancing(elbv2: Any, addresses: Mapping[str, str]) -> Balanced:
    """Everything of ELBv2.

    Args:
        elbv2: boto3 client.
        addresses: of the running instances, by instance id.
    """
    not_imitated: set[str] = set()
    balancers = [
        _load_balancer(elbv2, described, not_imitated)
        for described in pages(elbv2, "describe_load_balancers", "LoadBalancers")
        if described["Type"] == "application"
    ]
    groups = pages(elbv2, "describe_target_groups", "TargetGroups")
    targets = tuple(target for group in groups for target in _targets(elbv2, group, addresses))
    found = Balancing(tuple(balancers), tuple(_target_group(elbv2, group) for group in groups))
    return Balanced(found, targets, frozenset(not_imitated))


def _load_balancer(elbv2: Any, described: Mapping[str, Any], not_imitated: set[str]) -> LoadBalancer:
    arn, name = described["LoadBalancerArn"], described["LoadBalancerName"]
    attributes = _attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn))
    listeners = []
    for listener in pages(elbv2, "describe_listeners", "Listeners", LoadBalancerArn=arn):
        where = f"listener {listener['Port']} of {name}"
        if listener["Protocol"] != "HTTP":
            not_imitated.add(f"{where}: speaks {listener['Protocol']}, the local cloud speaks HTTP only")
            continue
        if len(pages(elbv2, "describe_rules", "Rules", ListenerArn=listener["ListenerArn"])) > 1:
            not_imitated.add(f"{where}: has rules, the local cloud knows its default action only")
        rule = _rule(listener["DefaultActions"], where, not_imitated)
        if rule is not None:
            address = Address(described["DNSName"], int(listener["Port"]))
            listeners.append(Listener(address, listener["Protocol"], rule))
    return LoadBalancer(
        name=name,
        listeners=tuple(listeners),
        idle_timeout=int(attributes.get("idle_timeout.timeout_seconds", 60)),
        drop_invalid_headers=attributes.get("routing.http.drop_invalid_header_fields.enabled") == "true",
    )


def _rule(actions: list[dict[str, Any]], where: str, not_imitated: set[str]) -> Rule | None:
    action = actions[-1]
    match action["Type"]:
        case "forward":
            groups = action.get("ForwardConfig", {}).get("TargetGroups", ())
            if len(groups) > 1:
                not_imitated.add(f"{where}: forwards to several target groups, the local cloud takes the first")
            return Forward(action.get("TargetGroupArn") or groups[0]["TargetGroupArn"])
        case "redirect":
            told = action["RedirectConfig"]
            return Redirect(
                protocol=told.get("Protocol", "#{protocol}"),
                host=told.get("Host", "#{host}"),
                port=told.get("Port", "#{port}"),
                path=told.get("Path", "/#{path}"),
                query=told.get("Query", "#{query}"),
                status=int(told["StatusCode"].removeprefix("HTTP_")),
            )
        case "fixed-response":
            told = action["FixedResponseConfig"]
            return FixedResponse(int(told["StatusCode"]), told.get("ContentType", ""), told.get("MessageBody", ""))
        case other:
            not_imitated.add(f"{where}: the local cloud has no action {other}")
            return None


def _target_group(elbv2: Any, described: Mapping[str, Any]) -> TargetGroup:
    arn = described["TargetGroupArn"]
    attributes = _attributes(elbv2.describe_target_group_attributes(TargetGroupArn=arn))
    return TargetGroup(
        arn=arn,
        name=described["TargetGroupName"],
        check=HealthCheck(
            path=described.get("HealthCheckPath", "/"),
            interval=int(described["HealthCheckIntervalSeconds"]),
            timeout=int(described["HealthCheckTimeoutSeconds"]),
            healthy=int(described["HealthyThresholdCount"]),
            unhealthy=int(described["UnhealthyThresholdCount"]),
            codes=described.get("Matcher", {}).get("HttpCode", "200"),
        ),
        drain=int(attributes.get("deregistration_delay.timeout_seconds", 300)),
        algorithm=attributes.get("load_balancing.algorithm.type", "round_robin"),
    )


def _targets(elbv2: Any, group: Mapping[str, Any], addresses: Mapping[str, str]) -> list[Target]:
    arn = group["TargetGroupArn"]
    registered = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    return [
        Target(arn, one["Target"]["Id"], Address(addresses[one["Target"]["Id"]], int(one["Target"]["Port"])))
        for one in registered
        if one["Target"]["Id"] in addresses and one["TargetHealth"]["State"] != _LEAVING
    ]


def _attributes(answer: Mapping[str, Any]) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}

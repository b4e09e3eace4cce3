"""Load balancers, target groups, listeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Reads, Row, Step, Tags, Wait
from local.provider.tagging import pairs


def _tags() -> Tags:
    def whose(it: Item) -> Values:
        return {"ResourceArns": [it.id]}

    return Tags(
        add="add_tags",
        remove="remove_tags",
        whose=whose,
        read=Find("describe_tags", whose),
        at_create=lambda tags: {"Tags": pairs(tags)},
        path="TagDescriptions[0].Tags",
    )


def _flat(names: Mapping[str, str | Mapping[str, str]], inputs: Values) -> dict[str, str]:
    """Attributes of a balancer or target group from inputs, nested ones included."""
    result = {}
    for name, key in names.items():
        value = inputs.get(name)
        if value is None:
            continue
        for attribute, item in [(key, value)] if isinstance(key, str) else [(key[k], v) for k, v in value.items()]:
            result[attribute] = str(item).lower() if isinstance(item, bool) else str(item)
    return result


def _set_attributes(operation: str, arn: str, names: Mapping[str, Any]) -> Callable[[Item], None]:
    def act(it: Item) -> None:
        wanted = _flat(names, {name: it.new.get(name) for name in it.changed or it.new})
        attributes = [{"Key": key, "Value": value} for key, value in sorted(wanted.items())]
        if attributes:
            it.aws.call("elbv2", operation, **{arn: it.id, "Attributes": attributes})

    return act


def _typed(text: str | None) -> Any:
    if text in ("true", "false"):
        return text == "true"
    return int(text) if text is not None and text.isdecimal() else text


def _attributes(names: Mapping[str, str | Mapping[str, str]]) -> dict[str, Reads]:
    """How the attributes are read back: input -> function."""

    def reader(key: str | Mapping[str, str]) -> Reads:
        def read(found: Any, _it: Item) -> Any:
            there = {entry["Key"]: entry["Value"] for entry in found["attributes"]}
            if isinstance(key, str):
                return _typed(there.get(key))
            return {name: _typed(there[attribute]) for name, attribute in key.items() if attribute in there}

        return read

    return {name: reader(key) for name, key in names.items()}


def _suffix(kind: str) -> Reads:
    return lambda _found, it: it.id[it.id.index(kind) :].removeprefix("loadbalancer/")


def _balancer(it: Item) -> Values:
    return {"LoadBalancerArn": it.id}


_BALANCER: Mapping[str, str | Mapping[str, str]] = {
    "accessLogs": {
        "enabled": "access_logs.s3.enabled",
        "bucket": "access_logs.s3.bucket",
        "prefix": "access_logs.s3.prefix",
    },
    "desyncMitigationMode": "routing.http.desync_mitigation_mode",
    "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
    "enableDeletionProtection": "deletion_protection.enabled",
    "enableHttp2": "routing.http2.enabled",
    "idleTimeout": "idle_timeout.timeout_seconds",
    "preserveHostHeader": "routing.http.preserve_host_header.enabled",
    "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
}

LOAD_BALANCER = Row(
    kind="aws:lb/loadBalancer:LoadBalancer",
    service="elbv2",
    create=Call("create_load_balancer"),
    id="LoadBalancers[0].LoadBalancerArn",
    find=Find("describe_load_balancers", lambda it: {"LoadBalancerArns": [it.id]}, "LoadBalancers[0]"),
    more=(Find("describe_load_balancer_attributes", _balancer, "Attributes", "attributes"),),
    updates=(
        Step(tuple(_BALANCER), _set_attributes("modify_load_balancer_attributes", "LoadBalancerArn", _BALANCER)),
        Call("set_subnets", _balancer, takes=("subnets",)),
        Call("set_security_groups", _balancer, takes=("securityGroups",)),
        Call("set_ip_address_type", _balancer, takes=("ipAddressType",)),
    ),
    writes={
        "internal": ("Scheme", lambda internal: "internal" if internal else "internet-facing"),
        "loadBalancerType": "Type",
    },
    reads={
        **_attributes(_BALANCER),
        "arn": "LoadBalancerArn",
        "arnSuffix": _suffix("loadbalancer/"),
        "dnsName": "DNSName",
        "internal": "Scheme == 'internal'",
        "name": "LoadBalancerName",
        "subnets": "AvailabilityZones[].SubnetId",
        "zoneId": "CanonicalHostedZoneId",
    },
    name=Name(length=32),
    tags=_tags(),
    ready=Wait("active", "State.Code", frozenset({"active"}), frozenset({"failed"})),
    delete=Call("delete_load_balancer", _balancer),
    gone=Wait("deleted", "State.Code", frozenset()),
)


def _target_group(it: Item) -> Values:
    return {"TargetGroupArn": it.id}


_TARGETS: Mapping[str, str | Mapping[str, str]] = {
    "deregistrationDelay": "deregistration_delay.timeout_seconds",
    "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
    "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
    "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
    "slowStart": "slow_start.duration_seconds",
    "stickiness": {
        "enabled": "stickiness.enabled",
        "type": "stickiness.type",
        "cookieDuration": "stickiness.lb_cookie.duration_seconds",
    },
}
_HEALTH = {
    "enabled": "HealthCheckEnabled",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "healthyThreshold": "HealthyThresholdCount",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}


def _set_health_check(it: Item) -> None:
    check = it.new.get("healthCheck") or {}
    parameters = {_HEALTH[name]: value for name, value in check.items() if name in _HEALTH}
    if "matcher" in check:
        parameters["Matcher"] = {"HttpCode": check["matcher"]}
    it.aws.call("elbv2", "modify_target_group", TargetGroupArn=it.id, **parameters)


def _health_check(found: Any, _it: Item) -> Values:
    check = {name: found[member] for name, member in _HEALTH.items() if member in found}
    return {**check, "matcher": (found.get("Matcher") or {}).get("HttpCode")}


TARGET_GROUP = Row(
    kind="aws:lb/targetGroup:TargetGroup",
    service="elbv2",
    create=Call("create_target_group"),
    id="TargetGroups[0].TargetGroupArn",
    find=Find("describe_target_groups", lambda it: {"TargetGroupArns": [it.id]}, "TargetGroups[0]"),
    more=(Find("describe_target_group_attributes", _target_group, "Attributes", "attributes"),),
    updates=(
        Step(("healthCheck",), _set_health_check),
        Step(tuple(_TARGETS), _set_attributes("modify_target_group_attributes", "TargetGroupArn", _TARGETS)),
    ),
    reads={
        **_attributes(_TARGETS),
        "arn": "TargetGroupArn",
        "arnSuffix": _suffix("targetgroup/"),
        "healthCheck": _health_check,
        "name": "TargetGroupName",
    },
    name=Name(length=32),
    tags=_tags(),
    delete=Call("delete_target_group", _target_group),
)

# Member of an action -> member in the API.
_ACTION = {"redirect": "redirectConfig", "fixedResponse": "fixedResponseConfig", "forward": "forwardConfig"}


def _actions(actions: list[Values]) -> list[Values]:
    return [{_ACTION.get(name, name): value for name, value in action.items()} for action in actions]


def _shown_actions(found: Any, _it: Item) -> list[Values]:
    names = {f"{name[0].upper()}{name[1:]}": shown for shown, name in _ACTION.items()}
    return [{names.get(name, name): value for name, value in action.items()} for action in found["DefaultActions"]]


LISTENER = Row(
    kind="aws:lb/listener:Listener",
    service="elbv2",
    create=Call("create_listener"),
    id="Listeners[0].ListenerArn",
    find=Find("describe_listeners", lambda it: {"ListenerArns": [it.id]}, "Listeners[0]"),
    updates=(Call("modify_listener", lambda it: {"ListenerArn": it.id}, without=("loadBalancerArn",), whole=True),),
    writes={
        "certificateArn": ("Certificates", lambda arn: [{"certificateArn": arn}]),
        "defaultActions": ("DefaultActions", _actions),
    },
    reads={
        "arn": "ListenerArn",
        "certificateArn": "Certificates[0].CertificateArn",
        "defaultActions": _shown_actions,
    },
    tags=_tags(),
    delete=Call("delete_listener", lambda it: {"ListenerArn": it.id}),
)

ROWS = (LOAD_BALANCER, TARGET_GROUP, LISTENER)

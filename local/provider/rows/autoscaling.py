"""Auto Scaling groups and their policies."""

from __future__ import annotations

from typing import Any

import jmespath

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import Values
from local.provider.row import WAIT_LIMIT, Call, Find, Item, Name, Row, Step, Wait


def _group(it: Item) -> Values:
    return {"AutoScalingGroupName": it.id}


def _refuse_to_wait(it: Item) -> None:
    """The bridged provider waits for capacity in a way that a scaling group can break: `Capacity` waits instead."""
    if it.new.get("waitForCapacityTimeout") != "0":
        raise GoldfleetError(
            it.context.name, "the local provider does not wait for capacity", "set waitForCapacityTimeout to '0'"
        )


def _template(template: Values) -> Values:
    names = {"id": "launchTemplateId", "name": "launchTemplateName", "version": "version"}
    return {names[key]: value for key, value in template.items()}


def _set_targets(it: Item) -> None:
    old, new = set(it.old.get("targetGroupArns") or ()), set(it.new.get("targetGroupArns") or ())
    for operation, arns in (
        ("attach_load_balancer_target_groups", new - old),
        ("detach_load_balancer_target_groups", old - new),
    ):
        if arns:
            it.aws.call("autoscaling", operation, **_group(it), TargetGroupARNs=sorted(arns))


def _set_metrics(it: Item) -> None:
    old, new = set(it.old.get("enabledMetrics") or ()), set(it.new.get("enabledMetrics") or ())
    if old - new:
        it.aws.call("autoscaling", "disable_metrics_collection", **_group(it), Metrics=sorted(old - new))
    if new - old:
        metrics = sorted(new - old)
        it.aws.call("autoscaling", "enable_metrics_collection", **_group(it), Metrics=metrics, Granularity="1Minute")


def _tag(it: Item, tag: Values) -> Values:
    launch = bool(tag.get("propagateAtLaunch"))
    owner = {"ResourceId": it.id, "ResourceType": "auto-scaling-group"}
    return {**owner, "Key": tag["key"], "Value": tag["value"], "PropagateAtLaunch": launch}


def _set_tags(it: Item) -> None:
    wanted = it.new.get("tags") or []
    keys = {tag["key"] for tag in wanted}
    gone = [tag for tag in it.old.get("tags") or [] if tag["key"] not in keys]
    if gone:
        it.aws.call("autoscaling", "delete_tags", Tags=[_tag(it, tag) for tag in gone])
    if wanted:
        it.aws.call("autoscaling", "create_or_update_tags", Tags=[_tag(it, tag) for tag in wanted])


def _delete(it: Item) -> None:
    """Empties the group first, so that instances leave the balancer as they do in a scale-in."""
    if not it["forceDelete"]:
        it.aws.call("autoscaling", "update_auto_scaling_group", **_group(it), MinSize=0, MaxSize=0, DesiredCapacity=0)
        it.context.wait_for("empty", lambda: _is_empty(it), WAIT_LIMIT)
    it.aws.call("autoscaling", "delete_auto_scaling_group", **_group(it), ForceDelete=bool(it["forceDelete"]))


def _is_empty(it: Item) -> bool | None:
    answer = it.aws.call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[it.id])
    return None if jmespath.search("AutoScalingGroups[0].Instances", answer) else True


def _zones(found: Any, _it: Item) -> Any:
    return found["VPCZoneIdentifier"].split(",") if found.get("VPCZoneIdentifier") else None


GROUP = Row(
    kind="aws:autoscaling/group:Group",
    service="autoscaling",
    create=Call("create_auto_scaling_group"),
    id=lambda it: str(it["name"]),
    made=_refuse_to_wait,
    find=Find("describe_auto_scaling_groups", lambda it: {"AutoScalingGroupNames": [it.id]}, "AutoScalingGroups[0]"),
    updates=(
        Call("update_auto_scaling_group", _group),
        Step(("targetGroupArns",), _set_targets),
        Step(("enabledMetrics",), _set_metrics),
        Step(("tags",), _set_tags),
    ),
    writes={
        "name": "AutoScalingGroupName",
        "launchTemplate": ("LaunchTemplate", _template),
        "vpcZoneIdentifiers": ("VPCZoneIdentifier", ",".join),
        "protectFromScaleIn": "NewInstancesProtectedFromScaleIn",
    },
    reads={
        "arn": "AutoScalingGroupARN",
        "enabledMetrics": "EnabledMetrics[].Metric",
        "launchTemplate": "LaunchTemplate.{Id: LaunchTemplateId, Name: LaunchTemplateName, Version: Version}",
        "vpcZoneIdentifiers": _zones,
    },
    own=frozenset({"forceDelete", "waitForCapacityTimeout"}),
    name=Name(length=255),
    delete=Step((), _delete),
    gone=Wait("deleted", "Status", frozenset()),
)


def _policy(it: Item) -> Values:
    group, _, policy = it.id.partition("/")
    return {"AutoScalingGroupName": group, "PolicyName": policy}


def _find_policy(it: Item) -> Values:
    policy = _policy(it)
    return {"AutoScalingGroupName": policy["AutoScalingGroupName"], "PolicyNames": [policy["PolicyName"]]}


POLICY = Row(
    kind="aws:autoscaling/policy:Policy",
    service="autoscaling",
    create=Call("put_scaling_policy"),
    id=lambda it: f"{it['autoscalingGroupName']}/{it['name']}",
    find=Find("describe_policies", _find_policy, "ScalingPolicies[0]"),
    updates=(Call("put_scaling_policy", _policy, whole=True),),
    writes={"name": "PolicyName"},
    reads={"arn": "PolicyARN"},
    name=Name(length=255),
    delete=Call("delete_policy", _policy),
)


ROWS = (GROUP, POLICY)

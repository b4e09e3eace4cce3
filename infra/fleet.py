"""The fleet: identical clones of the golden image in an Auto Scaling group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from goldfleet.contract import deadlines
from goldfleet.contract.names import Names
from infra.replacement import LEAST_HEALTHY_PERCENT, MOST_HEALTHY_PERCENT
from infra.settings.fleet import Fleet as FleetSettings

DAY = 86_400


@dataclass(frozen=True)
class FleetArgs:
    """What a clone is made of.

    Args:
        names: names of the stack.
        subnet_ids: app subnets.
        security_group_ids: groups that a clone holds.
        image_id: the golden image.
        root_device, app_device: device names of the image's volumes; `app_device` may be empty.
        profile_arn: instance profile of a clone.
        user_data: what a clone is told, in base64.
        target_group_arn: where clones are registered.
        request_label: `<balancer>/<target group>` for scaling on requests.
        settings: the component's settings.
    """

    names: Names
    subnet_ids: list[pulumi.Output[str]]
    security_group_ids: Sequence[pulumi.Input[str]]
    image_id: pulumi.Input[str]
    root_device: pulumi.Input[str]
    app_device: pulumi.Input[str]
    profile_arn: pulumi.Input[str]
    user_data: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    request_label: pulumi.Input[str]
    settings: FleetSettings


class Fleet(pulumi.ComponentResource):
    """The launch template, the group and its scaling policies.

    The group ignores its template's version, which `Rollout` moves, and its desired capacity, which `Capacity` and the
    scaling policies move.
    """

    group_name: pulumi.Output[str]
    template_id: pulumi.Output[str]
    template_version: pulumi.Output[int]

    def __init__(self, name: str, args: FleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Fleet", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        template = self._template()
        self.template_id = template.id
        self.template_version = template.latest_version
        self.group_name = self._group(template).name
        self._scaling_policies()
        self.register_outputs({"group_name": self.group_name, "template_id": self.template_id})

    def _template(self) -> aws.ec2.LaunchTemplate:
        args = self._args
        return aws.ec2.LaunchTemplate(
            f"{self._name}-template",
            name=args.names.of("clone"),
            description=f"A clone of {args.names.prefix}",
            image_id=args.image_id,
            instance_type=args.settings.instance_type,
            vpc_security_group_ids=list(args.security_group_ids),
            iam_instance_profile={"arn": args.profile_arn},
            user_data=args.user_data,
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                "http_put_response_hop_limit": 1,
                "instance_metadata_tags": "disabled",
            },
            block_device_mappings=pulumi.Output.all(args.root_device, args.app_device).apply(_volumes),
            monitoring={"enabled": True},
            update_default_version=True,
            tag_specifications=[
                {"resource_type": kind, "tags": {**args.names.tags, "Name": args.names.of("clone")}}
                for kind in ("volume", "network-interface")
            ],
            opts=self._child,
        )

    def _group(self, template: aws.ec2.LaunchTemplate) -> aws.autoscaling.Group:
        args, settings = self._args, self._args.settings
        return aws.autoscaling.Group(
            f"{self._name}-group",
            name=args.names.of("fleet"),
            vpc_zone_identifiers=args.subnet_ids,
            target_group_arns=[args.target_group_arn],
            launch_template={"id": template.id, "version": template.latest_version.apply(str)},
            desired_capacity=settings.desired,
            min_size=settings.min,
            max_size=settings.max,
            health_check_type="ELB",
            health_check_grace_period=settings.health_grace_seconds,
            default_instance_warmup=deadlines.WARM_UP,
            max_instance_lifetime=settings.max_lifetime_days * DAY,
            instance_maintenance_policy={
                "min_healthy_percentage": LEAST_HEALTHY_PERCENT,
                "max_healthy_percentage": MOST_HEALTHY_PERCENT,
            },
            wait_for_capacity_timeout="0",
            tags=[
                {"key": key, "value": value, "propagate_at_launch": True}
                for key, value in sorted({**args.names.tags, "Name": args.names.of("clone")}.items())
            ],
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["desiredCapacity", "launchTemplate"]),
        )

    def _scaling_policies(self) -> None:
        settings = self._args.settings
        self._track("cpu", settings.cpu_target_percent, {"predefined_metric_type": "ASGAverageCPUUtilization"})
        self._track(
            "requests",
            settings.requests_target,
            {"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": self._args.request_label},
        )

    def _track(self, label: str, target: int, metric: dict[str, Any]) -> None:
        aws.autoscaling.Policy(
            f"{self._name}-{label}",
            name=self._args.names.of(label),
            autoscaling_group_name=self.group_name,
            policy_type="TargetTrackingScaling",
            target_tracking_configuration={"target_value": float(target), "predefined_metric_specification": metric},
            opts=self._child,
        )


def _volumes(devices: Sequence[str]) -> list[dict[str, Any]]:
    """Exactly the image's devices: any other name would add an empty disk."""
    ebs = {"encrypted": "true", "volume_type": "gp3", "delete_on_termination": "true"}
    return [{"device_name": device, "ebs": ebs} for device in devices if device]

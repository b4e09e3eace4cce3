"""The whole fleet on one version of the launch template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from infra.provider.resources import Rollout as RolloutResource
from infra.settings.rollout import Rollout as RolloutSettings


@dataclass(frozen=True)
class RolloutArgs:
    """Which version the clones of which group shall run.

    Args:
        group_name: the Auto Scaling group.
        template_id: the launch template.
        template_version: a number.
        target_group_arn: where clones must be healthy.
        alarm_names: names of the alarms that turn it round.
        settings: the component's settings.
    """

    group_name: pulumi.Input[str]
    template_id: pulumi.Input[str]
    template_version: pulumi.Input[int]
    target_group_arn: pulumi.Input[str]
    alarm_names: Sequence[pulumi.Input[str]]
    settings: RolloutSettings


class Rollout(pulumi.ComponentResource):
    """Done when the last clone runs the version."""

    def __init__(self, name: str, args: RolloutArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Rollout", name, None, opts)
        RolloutResource(
            f"{name}-refresh",
            group_name=args.group_name,
            launch_template_id=args.template_id,
            launch_template_version=args.template_version,
            target_group_arn=args.target_group_arn,
            alarm_names=args.alarm_names,
            warm_up_seconds=args.settings.warm_up_seconds,
            canary_seconds=args.settings.canary_seconds,
            bake_seconds=args.settings.bake_seconds,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})

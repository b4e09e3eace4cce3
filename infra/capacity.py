"""How many clones a person wants."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra.provider.resources import Capacity as CapacityResource


@dataclass(frozen=True)
class CapacityArgs:
    """The wish: `desired` clones in the group `group_name`, healthy in `target_group_arn`."""

    group_name: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    desired: int


class Capacity(pulumi.ComponentResource):
    """Sets the group's desired capacity when the wish changes, and only then; `running` is what the group wants now."""

    running: pulumi.Output[int]

    def __init__(self, name: str, args: CapacityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Capacity", name, None, opts)
        capacity = CapacityResource(
            f"{name}-desired",
            group_name=args.group_name,
            desired=args.desired,
            target_group_arn=args.target_group_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.running = capacity.running
        self.register_outputs({"running": self.running})

"""The role of a clone: it may read what its user data names and write its log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import ROLE_LENGTH, Names
from infra import policies


@dataclass(frozen=True)
class CloneRoleArgs:
    """What a clone needs.

    Args:
        names: names of the stack.
        region: the region.
        secret_arns: secrets that the user data names.
        parameter_arns: SSM parameters that the user data names.
        log_group_arn: the app's log group.
        key_arn: the key that the secrets are encrypted with.
    """

    names: Names
    region: str
    secret_arns: Sequence[pulumi.Input[str]]
    parameter_arns: Sequence[pulumi.Input[str]]
    log_group_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


class CloneRole(pulumi.ComponentResource):
    """A role, its policy and the instance profile that hands it to clones."""

    profile_arn: pulumi.Output[str]

    def __init__(self, name: str, args: CloneRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:CloneRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            name=args.names.of("clone", length=ROLE_LENGTH),
            assume_role_policy=json.dumps(policies.assume_role("ec2.amazonaws.com")),
            opts=child,
        )
        policy = aws.iam.RolePolicy(f"{name}-policy", role=role.name, policy=_policy(args), opts=child)
        profile = aws.iam.InstanceProfile(
            f"{name}-profile",
            name=args.names.of("clone", length=ROLE_LENGTH),
            role=role.name,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.profile_arn = profile.arn
        self.register_outputs({"profile_arn": self.profile_arn})


def _policy(args: CloneRoleArgs) -> pulumi.Output[str]:
    def document(late: Any) -> str:
        return json.dumps(policies.clone(region=args.region, **late))

    return pulumi.Output.all(
        secret_arns=list(args.secret_arns),
        parameter_arns=list(args.parameter_arns),
        log_group_arn=args.log_group_arn,
        key_arn=args.key_arn,
    ).apply(document)

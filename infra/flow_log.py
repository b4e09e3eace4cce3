"""The VPC's flow log: which connections were refused, and by whom they were tried."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import ROLE_LENGTH, Names
from infra import policies
from infra.log_group import LogKeeping, log_group


@dataclass(frozen=True)
class FlowLogArgs:
    """What is logged.

    Args:
        names: names of the stack.
        account_id: the account that the role serves.
        vpc_id: the VPC whose connections are logged.
        keeping: how the log group is kept.
    """

    names: Names
    account_id: str
    vpc_id: pulumi.Input[str]
    keeping: LogKeeping


class FlowLog(pulumi.ComponentResource):
    """Refused connections of the whole VPC, in a log group."""

    def __init__(self, name: str, args: FlowLogArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:FlowLog", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names = args.names
        group = log_group(f"{name}-group", f"/{names.project}/{names.stack}/flow", args.keeping, child)
        role = aws.iam.Role(
            f"{name}-role",
            name=names.of("flow-log", length=ROLE_LENGTH),
            assume_role_policy=json.dumps(policies.assume_role("vpc-flow-logs.amazonaws.com", args.account_id)),
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=group.arn.apply(lambda arn: json.dumps(policies.flow_log_writer(arn))),
            opts=child,
        )
        aws.ec2.FlowLog(
            f"{name}-log",
            vpc_id=args.vpc_id,
            traffic_type="REJECT",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": names.of("flow-log")},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})

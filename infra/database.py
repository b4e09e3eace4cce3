"""The database: RDS for PostgreSQL, one main and its read replicas per shard.

Passwords are ours, because RDS's own managed master password forbids read replicas. Addresses are AWS's own names,
because no other name is in the servers' certificates.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import ROLE_LENGTH, Names
from infra import policies
from infra.access import Access, AccessArgs
from infra.after import after
from infra.engine_versions import postgresql_family
from infra.log_group import LogKeeping
from infra.settings.database import Database as DatabaseSettings
from infra.shard import Shard, ShardArgs

MONITORING_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
PARAMETERS = {"rds.force_ssl": "1", "log_min_duration_statement": "1000", "log_connections": "1"}


@dataclass(frozen=True)
class DatabaseArgs:
    """Where the database is.

    Args:
        names: names of the stack.
        account_id: the account that the monitoring role serves.
        vpc_id: the VPC.
        subnet_ids: data subnets.
        zones: zone names that replicas are spread over.
        keeping: how log groups are kept; its key encrypts storage and credentials too.
        settings: the component's settings.
    """

    names: Names
    account_id: str
    vpc_id: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    zones: Sequence[str]
    keeping: LogKeeping
    settings: DatabaseSettings


class Database(pulumi.ComponentResource):
    """The shards, in shard order; holders of `client_group_id` reach every server."""

    shards: list[Shard]
    client_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Database", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        access = Access(f"{name}-access", AccessArgs(args.names, args.vpc_id, name, args.settings.port), self._child)
        self.client_group_id = access.client_group_id
        self.shards = self._shards(access.server_group_id)
        self.register_outputs({"addresses": [shard.address for shard in self.shards]})

    def _shards(self, server_group_id: pulumi.Output[str]) -> list[Shard]:
        subnet_group, parameter_group, role = (
            self._subnet_group().name,
            self._parameter_group().name,
            self._monitoring_role(),
        )
        return [
            Shard(
                f"{self._name}-{number}",
                ShardArgs(
                    names=self._args.names,
                    number=number,
                    zones=self._args.zones,
                    subnet_group=subnet_group,
                    parameter_group=parameter_group,
                    security_group_id=server_group_id,
                    monitoring_role_arn=role,
                    keeping=self._args.keeping,
                    settings=self._args.settings,
                ),
                self._child,
            )
            for number in range(self._args.settings.shards)
        ]

    def _subnet_group(self) -> aws.rds.SubnetGroup:
        return aws.rds.SubnetGroup(
            f"{self._name}-subnets",
            name=self._args.names.of(self._name),
            description="Data subnets for the database",
            subnet_ids=self._args.subnet_ids,
            opts=self._child,
        )

    def _parameter_group(self) -> aws.rds.ParameterGroup:
        family = postgresql_family(self._args.settings.engine_version)
        return aws.rds.ParameterGroup(
            f"{self._name}-parameters",
            name=self._args.names.of(self._name, family),
            description="Parameters of the database",
            family=family,
            parameters=[{"name": key, "value": value} for key, value in sorted(PARAMETERS.items())],
            opts=self._child,
        )

    def _monitoring_role(self) -> pulumi.Output[str]:
        role = aws.iam.Role(
            f"{self._name}-monitoring-role",
            name=self._args.names.of(self._name, "monitoring", length=ROLE_LENGTH),
            assume_role_policy=json.dumps(policies.assume_role("monitoring.rds.amazonaws.com", self._args.account_id)),
            opts=self._child,
        )
        attachment = aws.iam.RolePolicyAttachment(
            f"{self._name}-monitoring-policy", role=role.name, policy_arn=MONITORING_POLICY, opts=self._child
        )
        return after(role.arn, attachment)

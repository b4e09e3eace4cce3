"""An ElastiCache replication group: encrypted, behind its own door, one user with a generated password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import REPLICATION_GROUP_LENGTH, Names
from infra.access import Access, AccessArgs
from infra.credentials import Credentials, CredentialsArgs
from infra.engine_versions import parameter_family
from infra.settings.replication_group import ReplicationGroup as ReplicationGroupSettings

USERNAME = "app"
ACCESS = "on ~* &* +@all -@admin -@dangerous +info"
"""All keys and channels, every command but those that administer or endanger the server."""
NO_ACCESS = "off ~* -@all"


@dataclass(frozen=True)
class ReplicationGroupArgs:
    """Where the group is and who may read its data.

    Args:
        names: names of the stack.
        vpc_id: the VPC.
        subnet_ids: data subnets.
        key_arn: the key that encrypts data and credentials.
        settings: the component's settings.
    """

    names: Names
    vpc_id: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    key_arn: pulumi.Input[str]
    settings: ReplicationGroupSettings


class ReplicationGroup(pulumi.ComponentResource):
    """A primary and its replicas; holders of `client_group_id` reach it, `secret_arn` opens it.

    Args:
        kind: the component's type token.
        label: what the group is for; part of every name.
        parameters: parameters of the engine, by name.
    """

    primary: pulumi.Output[str]
    port: int
    secret_arn: pulumi.Output[str]
    client_group_id: pulumi.Output[str]
    node_ids: list[str]

    def __init__(
        self,
        name: str,
        args: ReplicationGroupArgs,
        *,
        kind: str,
        parameters: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(kind, name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.port = args.settings.port
        self._access = Access(f"{name}-access", AccessArgs(args.names, args.vpc_id, name, self.port), self._child)
        self._credentials = self._make_credentials()
        group = self._group(self._parameter_group(parameters).name, self._user_group().user_group_id)
        group_id = self._id()
        self.node_ids = [f"{group_id}-{number:03d}" for number in range(1, args.settings.replicas + 2)]
        self.primary = group.primary_endpoint_address
        self.secret_arn = self._credentials.secret_arn
        self.client_group_id = self._access.client_group_id
        self.register_outputs({"primary": self.primary, "secret_arn": self.secret_arn})

    def told(self) -> dict[str, Any]:
        """What a clone is told of the store."""
        return {"host": self.primary, "port": self.port, "secret": self.secret_arn}

    def _id(self, *parts: str) -> str:
        return self._args.names.of(self._name, *parts, length=REPLICATION_GROUP_LENGTH)

    def _make_credentials(self) -> Credentials:
        return Credentials(
            f"{self._name}-credentials",
            CredentialsArgs(
                username=USERNAME,
                secret_name=self._args.names.secret(self._name),
                description=f"What the app opens the {self._name} store with",
                key_arn=self._args.key_arn,
            ),
            self._child,
        )

    def _parameter_group(self, parameters: Mapping[str, str]) -> aws.elasticache.ParameterGroup:
        settings = self._args.settings
        family = parameter_family(settings.engine, settings.engine_version)
        return aws.elasticache.ParameterGroup(
            f"{self._name}-parameters",
            name=self._args.names.of(self._name, family.replace(".", "-")),
            description=f"Parameters of {self._name}",
            family=family,
            parameters=[{"name": key, "value": value} for key, value in sorted(parameters.items())],
            opts=self._child,
        )

    def _user_group(self) -> aws.elasticache.UserGroup:
        engine = self._args.settings.engine
        user = aws.elasticache.User(
            f"{self._name}-user",
            user_id=self._id(USERNAME),
            user_name=USERNAME,
            engine=engine,
            access_string=ACCESS,
            authentication_mode={"type": "password", "passwords": [self._credentials.password]},
            opts=self._child,
        )
        users = [user.user_id, *([self._default_user().user_id] if engine == "redis" else [])]
        return aws.elasticache.UserGroup(
            f"{self._name}-users", user_group_id=self._id("users"), engine=engine, user_ids=users, opts=self._child
        )

    def _default_user(self) -> aws.elasticache.User:
        """Redis demands a user `default` in the group: this one may do nothing. Valkey refuses all but ours anyway."""
        return aws.elasticache.User(
            f"{self._name}-default-user",
            user_id=self._id("default"),
            user_name="default",
            engine="redis",
            access_string=NO_ACCESS,
            authentication_mode={"type": "no-password-required"},
            opts=self._child,
        )

    def _subnet_group(self) -> aws.elasticache.SubnetGroup:
        return aws.elasticache.SubnetGroup(
            f"{self._name}-subnets",
            name=self._args.names.of(self._name),
            description=f"Data subnets for {self._name}",
            subnet_ids=self._args.subnet_ids,
            opts=self._child,
        )

    def _group(
        self, parameter_group: pulumi.Output[str], user_group: pulumi.Output[str]
    ) -> aws.elasticache.ReplicationGroup:
        settings = self._args.settings
        return aws.elasticache.ReplicationGroup(
            f"{self._name}-group",
            replication_group_id=self._id(),
            description=f"{self._name} of {self._args.names.prefix}",
            engine=settings.engine,
            engine_version=settings.engine_version,
            node_type=settings.node_type,
            num_cache_clusters=settings.replicas + 1,
            automatic_failover_enabled=settings.replicas > 0,
            multi_az_enabled=settings.replicas > 0,
            port=settings.port,
            parameter_group_name=parameter_group,
            subnet_group_name=self._subnet_group().name,
            security_group_ids=[self._access.server_group_id],
            user_group_ids=[user_group],
            at_rest_encryption_enabled=True,
            kms_key_id=self._args.key_arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            auto_minor_version_upgrade=True,
            snapshot_retention_limit=settings.snapshot_days,
            maintenance_window=settings.maintenance_window,
            apply_immediately=True,
            opts=self._child,
        )

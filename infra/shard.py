"""One shard: a main, its read replicas, the credentials of both roles, and the list of replicas for the app."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from goldfleet.contract.names import Names
from infra.credentials import Credentials, CredentialsArgs
from infra.log_group import LogKeeping, log_group
from infra.settings.database import Database as DatabaseSettings
from infra.shard_servers import MAIN, server_id, servers

OWNER, APP = "goldfleet_owner", "goldfleet_app"
LOG_EXPORTS = ("postgresql", "upgrade")
MONITORING_SECONDS = 60


@dataclass(frozen=True)
class ShardArgs:
    """What a shard shares with the others.

    Args:
        names: names of the stack.
        number: which shard, from 0.
        zones: zone names that replicas are spread over.
        subnet_group: DB subnet group of the data subnets.
        parameter_group: DB parameter group.
        security_group_id: the servers' security group.
        monitoring_role_arn: role of enhanced monitoring.
        keeping: how log groups are kept; its key encrypts storage and credentials too.
        settings: the component's settings.
    """

    names: Names
    number: int
    zones: Sequence[str]
    subnet_group: pulumi.Input[str]
    parameter_group: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    monitoring_role_arn: pulumi.Input[str]
    keeping: LogKeeping
    settings: DatabaseSettings


class Shard(pulumi.ComponentResource):
    """A main and its replicas.

    `address` is the main's host; `replicas_parameter` names an SSM parameter, a JSON list of `host:port`.
    """

    address: pulumi.Output[str]
    owner_secret_arn: pulumi.Output[str]
    app_secret_arn: pulumi.Output[str]
    replicas_parameter: pulumi.Output[str]
    replicas_parameter_arn: pulumi.Output[str]
    main_id: str
    replica_ids: list[str]

    def __init__(self, name: str, args: ShardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Shard", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        labels = servers(args.number, args.settings)
        self.main_id = self._id(labels.main)
        self.replica_ids = [self._id(label) for label in labels.replicas]
        self._owner = self._credentials(OWNER, "owner")
        app = self._credentials(APP, "app")
        main = self._main(labels.main)
        for label in labels.lost:
            self._main(label)
        replicas = [self._replica(main, label, number) for number, label in enumerate(labels.replicas, 1)]
        parameter = self._replica_list(replicas)
        self.address = main.address
        self.owner_secret_arn = self._owner.secret_arn
        self.app_secret_arn = app.secret_arn
        self.replicas_parameter = parameter.name
        self.replicas_parameter_arn = parameter.arn
        self.register_outputs({"address": self.address, "replicas_parameter": self.replicas_parameter})

    def told(self) -> dict[str, Any]:
        """What a clone is told of the shard."""
        return {
            "host": self.address,
            "port": self._args.settings.port,
            "database": self._args.settings.name,
            "owner_secret": self.owner_secret_arn,
            "app_secret": self.app_secret_arn,
            "replicas_parameter": self.replicas_parameter,
        }

    def _id(self, label: str) -> str:
        return server_id(self._args.names, self._args.number, label)

    def _credentials(self, username: str, label: str) -> Credentials:
        return Credentials(
            f"{self._name}-{label}",
            CredentialsArgs(
                username=username,
                secret_name=self._args.names.secret("database", str(self._args.number), label),
                description=f"Role {username} of shard {self._args.number}",
                key_arn=self._args.keeping.key_arn,
            ),
            self._child,
        )

    def _log_groups(self, label: str) -> list[pulumi.Resource]:
        """Made before the instance: RDS would make them itself, in clear and kept for ever."""
        return [
            log_group(
                f"{self._name}-{label}-{export}-log",
                f"/aws/rds/instance/{self._id(label)}/{export}",
                self._args.keeping,
                self._child,
            )
            for export in LOG_EXPORTS
        ]

    def _common(self) -> dict[str, Any]:
        """What a main and its replicas have in common."""
        args, settings = self._args, self._args.settings
        return {
            "instance_class": settings.instance_class,
            "storage_type": "gp3",
            "max_allocated_storage": settings.max_storage_gib,
            "storage_encrypted": True,
            "port": settings.port,
            "publicly_accessible": False,
            "parameter_group_name": args.parameter_group,
            "vpc_security_group_ids": [args.security_group_id],
            "iam_database_authentication_enabled": True,
            "enabled_cloudwatch_logs_exports": list(LOG_EXPORTS),
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": args.keeping.key_arn,
            "performance_insights_retention_period": settings.insights_days,
            "monitoring_interval": MONITORING_SECONDS,
            "monitoring_role_arn": args.monitoring_role_arn,
            "auto_minor_version_upgrade": True,
            "copy_tags_to_snapshot": True,
            "maintenance_window": settings.maintenance_window,
            "apply_immediately": settings.apply_immediately,
        }

    def _main(self, label: str) -> aws.rds.Instance:
        """The main. A promoted replica is one that has no source any more, and it has what only a new server takes."""
        return aws.rds.Instance(
            f"{self._name}-{label}",
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=self._log_groups(label),
                protect=self._args.settings.deletion_protection,
            ),
            **(self._of_a_new_main() if label == MAIN else {}),
            **self._of_a_main(label),
            **self._common(),
        )

    def _of_a_new_main(self) -> dict[str, Any]:
        """What a replica inherits, and nobody can change."""
        args = self._args
        return {
            "engine": "postgres",
            "db_name": args.settings.name,
            "username": self._owner.username,
            "db_subnet_group_name": args.subnet_group,
            "allocated_storage": args.settings.storage_gib,
            "kms_key_id": args.keeping.key_arn,
        }

    def _of_a_main(self, label: str) -> dict[str, Any]:
        """What only a main has."""
        settings, identifier = self._args.settings, self._id(label)
        name = f"{self._name}-final" if label == MAIN else f"{self._name}-{label}-final"
        suffix = random.RandomId(name, byte_length=4, opts=self._child)
        return {
            "identifier": identifier,
            "engine_version": settings.engine_version,
            "password": self._owner.password,
            "multi_az": settings.multi_az,
            "backup_retention_period": settings.backup_days,
            "backup_window": settings.backup_window,
            "deletion_protection": settings.deletion_protection,
            "skip_final_snapshot": False,
            "final_snapshot_identifier": suffix.hex.apply(lambda tail: f"{identifier}-final-{tail}"),
        }

    def _replica(self, main: aws.rds.Instance, label: str, number: int) -> aws.rds.Instance:
        """Encrypted with its main's key: RDS refuses to be told so (CreateDBInstanceReadReplica, KmsKeyId)."""
        zones = self._args.zones
        return aws.rds.Instance(
            f"{self._name}-{label}",
            identifier=self._id(label),
            replicate_source_db=main.identifier,
            availability_zone=zones[number % len(zones)],
            skip_final_snapshot=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._log_groups(label)),
            **self._common(),
        )

    def _replica_list(self, replicas: Sequence[aws.rds.Instance]) -> aws.ssm.Parameter:
        addresses = pulumi.Output.all(*(replica.address for replica in replicas))
        port = self._args.settings.port
        return aws.ssm.Parameter(
            f"{self._name}-replicas",
            name=self._args.names.parameter("database", str(self._args.number), "replicas"),
            description=f"Read replicas of shard {self._args.number}, a JSON list of host:port",
            type="String",
            value=addresses.apply(lambda hosts: json.dumps([f"{host}:{port}" for host in hosts])),
            opts=self._child,
        )

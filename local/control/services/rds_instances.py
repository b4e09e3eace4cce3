"""RDS instances: addresses of this machine, ready when reported, and replicas that are instances of their own.

AWS, "CreateDBInstanceReadReplica": the source needs automated backups. AWS, "Working with DB instance read replicas":
a replica is promoted by name, or when its source is deleted. AWS, "DeleteDBInstance": a final snapshot is chosen.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from typing import Any

from moto.rds import models
from moto.rds.exceptions import (
    InvalidDBInstanceStateFault,
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)
from moto.rds.models import DBInstance, RDSBackend

from local.control.cloud import CLOUD
from local.control.extend import use_model

LATEST_MINOR = {"14": "14.19", "15": "15.14", "16": "16.10", "17": "17.6", "18": "18.1"}
_NOT_INHERITED = {"deletion_protection": False, "multi_az": False, "backup_retention_period": 0}
_INSIGHTS = {
    "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
}


@dataclass(frozen=True)
class Failover:
    """A failover under way: `until` is a moment of the monotonic clock, `requested` whether somebody asked for it."""

    until: float
    requested: bool


class LocalInstance(DBInstance):
    """A database instance whose endpoint is an address of this machine.

    Attributes:
        failover: the one under way.
        secondary_availability_zone: where its standby stands, if it has one.
    """

    failover: Failover | None = None
    _standby_zone: str | None = None

    performance_insights_enabled = False
    performance_insights_kms_key_id: str | None = None
    performance_insights_retention_period: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.give_resource_id()

    def give_resource_id(self) -> None:
        """An id of its own, which it keeps when it is renamed."""
        letters = string.ascii_uppercase + string.digits
        self.dbi_resource_id = "db-" + "".join(secrets.choice(letters) for _ in range(26))

    @property
    def secondary_availability_zone(self) -> str | None:
        return (self._standby_zone or self._other_zone()) if self.multi_az else None

    def _other_zone(self) -> str:
        group = getattr(self, "db_subnet_group", None)
        zones = {each["SubnetAvailabilityZone"]["Name"] for each in group.subnets} if group else {f"{self.region}b"}
        return min(zones - {self.availability_zone}, default=self.availability_zone)

    def swap_zones(self) -> None:
        """Main and standby change places. For `rds_failover`."""
        self.availability_zone, self._standby_zone = str(self.secondary_availability_zone), self.availability_zone

    @property
    def status(self) -> str:
        if self.failover is not None:
            return "rebooting"
        if self._status == "available" and CLOUD.data_plane:
            return CLOUD.reports.rds.get(self.db_instance_identifier, "creating")
        return self._status

    @status.setter
    def status(self, value: str) -> None:
        self._status = value

    @property
    def address(self) -> str:
        return CLOUD.address_of(f"rds/{self.db_instance_identifier}")

    @property
    def endpoint(self) -> dict[str, Any]:
        return {**super().endpoint, "HostedZoneId": "Z1RLNUO7B9Q6NB"}

    def keep_insights(self, params: Any) -> None:
        """Takes over what a call says about Performance Insights."""
        for key, attribute in _INSIGHTS.items():
            if params.get(key) is not None:
                setattr(self, attribute, params[key])
        if self.performance_insights_enabled and self.performance_insights_retention_period is None:
            self.performance_insights_retention_period = 7


class Instances(RDSBackend):
    def create_db_instance(self, db_kwargs: Any) -> DBInstance:
        _check_password(db_kwargs)
        if db_kwargs.get("engine") == "postgres":
            db_kwargs["EngineVersion"] = resolved_version(db_kwargs.get("engine_version"))
            self._check_family(db_kwargs.get("db_parameter_group_name"), db_kwargs["EngineVersion"])
        instance = super().create_db_instance(db_kwargs)
        local(instance).keep_insights(db_kwargs)
        return instance

    def create_db_instance_read_replica(self, db_kwargs: Any) -> DBInstance:
        source = self.find_db_from_id(db_kwargs["source_db_instance_identifier"])
        if source.status != "available":
            raise InvalidDBInstanceStateFault(f"Instance {source.db_instance_identifier} is not available.")
        if not source.backup_retention_period or source.manage_master_user_password:
            raise InvalidDBInstanceStateFault(
                "Automated backups are not enabled for this database instance, or its master password is managed. "
                "To enable automated backups, set the backup retention period to a non-zero value."
            )
        replica = local(super().create_db_instance_read_replica(db_kwargs))
        for attribute, value in _NOT_INHERITED.items():
            given = db_kwargs.get(attribute)
            setattr(replica, attribute, value if given is None else given)
        replica.tags = db_kwargs.get("tags") or []
        replica.enabled_cloudwatch_logs_exports = list(db_kwargs.get("enable_cloudwatch_logs_exports") or [])
        replica.performance_insights_enabled = False
        replica.keep_insights(db_kwargs)
        replica.give_resource_id()
        return replica

    def modify_db_instance(self, db_instance_identifier: str, db_kwargs: Any) -> DBInstance:
        _check_password(db_kwargs)
        instance = local(self.describe_db_instances(db_instance_identifier)[0])
        if db_kwargs.get("engine_version"):
            db_kwargs["EngineVersion"] = resolved_version(db_kwargs["engine_version"])
        version = db_kwargs.get("engine_version", instance.engine_version)
        self._check_family(db_kwargs.get("db_parameter_group_name"), version)
        super().modify_db_instance(db_instance_identifier, db_kwargs)
        instance.port = db_kwargs.get("db_port_number") or instance.port
        instance.keep_insights(db_kwargs)
        return instance

    def promote_read_replica(self, db_kwargs: Any) -> DBInstance:
        replica = self.describe_db_instances(db_kwargs["db_instance_identifier"])[0]
        if not replica.is_replica:
            raise InvalidDBInstanceStateFault(f"{replica.db_instance_identifier} is not a read replica.")
        self._promote(replica)
        replica.backup_retention_period = db_kwargs.get("backup_retention_period") or 1
        return replica

    def delete_db_instance(
        self,
        db_instance_identifier: str,
        final_db_snapshot_identifier: str | None = None,
        skip_final_snapshot: bool | None = False,
        delete_automated_backups: bool | None = True,
    ) -> DBInstance:
        instance = self.describe_db_instances(db_instance_identifier)[0]
        if instance.is_replica and final_db_snapshot_identifier:
            raise InvalidParameterCombination("A replica instance has no final snapshot.")
        if bool(final_db_snapshot_identifier) == bool(skip_final_snapshot) and not instance.is_replica:
            raise InvalidParameterCombination(
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and not both."
            )
        if instance.status == "failed" and final_db_snapshot_identifier:
            raise InvalidDBInstanceStateFault(
                f"Instance {instance.db_instance_identifier} is failed: only SkipFinalSnapshot deletes it."
            )
        replicas = [] if instance.deletion_protection else [self.databases[each] for each in instance.replicas]
        for replica in replicas:
            self._promote(replica)
        deleted = super().delete_db_instance(
            db_instance_identifier, final_db_snapshot_identifier, skip_final_snapshot, delete_automated_backups
        )
        CLOUD.release_address(f"rds/{instance.db_instance_identifier}")
        CLOUD.reports.rds.pop(instance.db_instance_identifier, None)
        return deleted

    def _promote(self, replica: DBInstance) -> None:
        source = self.find_db_from_id(str(replica.source_db_instance_identifier))
        source.remove_replica(replica)
        replica.is_replica, replica.source_db_instance_identifier = False, None
        CLOUD.reports.rds[replica.db_instance_identifier] = "modifying"

    def _check_family(self, parameter_group: str | None, version: str) -> None:
        group = self.db_parameter_groups.get(parameter_group or "")
        family = f"postgres{version.partition('.')[0]}"
        if group is not None and str(group.family).startswith("postgres") and group.family != family:
            raise InvalidParameterCombination(
                f"The Parameter Group {group.name} with DBParameterGroupFamily {group.family} can't be used for this "
                f"instance. Please use a Parameter Group with DBParameterGroupFamily {family}"
            )


def resolved_version(asked: str | None) -> str:
    """The version of PostgreSQL that a full version, a major version or nothing stands for."""
    if asked is None:
        return LATEST_MINOR["17"]
    major = asked.partition(".")[0]
    if major not in LATEST_MINOR or not re.fullmatch(r"\d+(\.\d+)?", asked):
        raise InvalidParameterCombination(f"Cannot find version {asked} for postgres")
    return LATEST_MINOR[major] if asked == major else asked


def _check_password(params: Any) -> None:
    password = params.get("master_user_password")
    if password is not None and len(password) < 8:
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
        )
    if password is not None and set(password) & set('/"@ '):
        raise InvalidParameterValue(
            "The parameter MasterUserPassword is not a valid password. "
            "Only printable ASCII characters besides '/', '@', '\"', ' ' may be used."
        )


def local(instance: DBInstance) -> LocalInstance:
    """The instance as one of this package. Raises RDSClientError for one inside a cluster."""
    if not isinstance(instance, LocalInstance):
        raise RDSClientError("InvalidParameterValue", "The local control plane has instances outside clusters only")
    return instance


def install() -> None:
    """Puts this file in moto's place."""
    use_model(DBInstance, LocalInstance, models)

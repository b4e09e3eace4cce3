"""RDS: subnet and parameter groups that are in use stay, event subscriptions change, versions and classes are told.

AWS, "ModifyDBSubnetGroup", "DeleteDBSubnetGroup", "DeleteDBParameterGroup", "CreateDBSubnetGroup" (two zones at least).
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.ec2.models.subnets import Subnet
from moto.rds import urls
from moto.rds.exceptions import DBSubnetGroupNotFoundError, RDSClientError
from moto.rds.models import DBParameterGroup, DBSubnetGroup, rds_backends
from moto.rds.responses import RDSResponse

from local.control.extend import use_backend, use_response
from local.control.services import rds_failover, rds_instances
from local.control.services.rds_instances import LATEST_MINOR, Instances

CLASSES = tuple(
    f"db.{family}.{size}"
    for family, sizes in {
        "t4g": ("micro", "small", "medium", "large", "xlarge", "2xlarge"),
        "m7g": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
        "r7g": ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"),
    }.items()
    for size in sizes
)
_SUBSCRIPTION = {
    "SnsTopicArn": "sns_topic_arn",
    "SourceType": "source_type",
    "EventCategories": "event_categories",
    "Enabled": "enabled",
}


class Rds(Instances):
    def create_subnet_group(
        self, subnet_name: str, description: str, subnets: list[Any], tags: list[dict[str, str]]
    ) -> DBSubnetGroup:
        _check_zones(subnets)
        return super().create_subnet_group(subnet_name, description, subnets, tags)

    def modify_db_subnet_group(self, subnet_name: str, description: str, subnets: list[Subnet]) -> DBSubnetGroup:
        if subnet_name not in self.subnet_groups:
            raise DBSubnetGroupNotFoundError(subnet_name)
        _check_zones(subnets)
        group = super().modify_db_subnet_group(subnet_name, description, subnets)
        self.subnet_groups[subnet_name] = group
        return group

    def delete_subnet_group(self, subnet_name: str) -> DBSubnetGroup:
        for instance in self.databases.values():
            group = getattr(instance, "db_subnet_group", None)
            if group is not None and group.name == subnet_name.lower():
                raise RDSClientError(
                    "InvalidDBSubnetGroupStateFault",
                    f"Cannot delete the subnet group '{subnet_name}' because at least one database instance: "
                    f"{instance.db_instance_identifier} is still using it.",
                )
        return super().delete_subnet_group(subnet_name)

    def delete_db_parameter_group(self, db_parameter_group_name: str) -> DBParameterGroup:
        if any(instance.db_parameter_group_name == db_parameter_group_name for instance in self.databases.values()):
            message = "One or more database instances are still members of this parameter group"
            raise RDSClientError("InvalidDBParameterGroupState", message)
        return super().delete_db_parameter_group(db_parameter_group_name)


class RdsCalls(RDSResponse):
    def reboot_db_instance(self) -> ActionResult:
        instance = rds_instances.local(self.backend.reboot_db_instance(self.params["DBInstanceIdentifier"]))
        if self.params.get("ForceFailover"):
            rds_failover.request(instance)
        return ActionResult({"DBInstance": instance})

    def reset_db_parameter_group(self) -> ActionResult:
        name = self.params["DBParameterGroupName"]
        (group,) = self.backend.describe_db_parameter_groups({"db_parameter_group_name": name})
        if self.params.get("ResetAllParameters"):
            group.parameters.clear()
        for parameter in self.params.get("Parameters", []):
            group.parameters.pop(parameter["ParameterName"], None)
        return ActionResult({"DBParameterGroupName": group.name})

    def modify_event_subscription(self) -> ActionResult:
        (subscription,) = self.backend.describe_event_subscriptions(self.params["SubscriptionName"])
        for key, attribute in _SUBSCRIPTION.items():
            if self.params.get(key) is not None:
                setattr(subscription, attribute, self.params[key])
        return ActionResult({"EventSubscription": subscription})

    def describe_db_engine_versions(self) -> ActionResult:
        engine, version = self.params.get("Engine", "postgres"), self.params.get("EngineVersion")
        shown = [
            {"Engine": engine, "EngineVersion": full, "DBParameterGroupFamily": f"postgres{major}"}
            for major, full in LATEST_MINOR.items()
            if engine == "postgres" and version in {None, major, full}
        ]
        return PaginatedResult({"DBEngineVersions": shown})

    def describe_orderable_db_instance_options(self) -> ActionResult:
        engine, version, size = (self.params.get(key) for key in ("Engine", "EngineVersion", "DBInstanceClass"))
        if engine != "postgres":
            return super().describe_orderable_db_instance_options()
        shown = [
            {"Engine": engine, "EngineVersion": full, "DBInstanceClass": each, "StorageType": "gp3", "Vpc": True}
            for major, full in LATEST_MINOR.items()
            for each in CLASSES
            if version in {None, major, full} and size in {None, each}
        ]
        return PaginatedResult({"OrderableDBInstanceOptions": shown})


def _check_zones(subnets: list[Any]) -> None:
    if len({subnet.availability_zone for subnet in subnets}) < 2:
        raise RDSClientError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{sorted({subnet.availability_zone for subnet in subnets})}. Add subnets to cover at least 2 AZs.",
        )


def install() -> None:
    """Puts the parts in moto's place."""
    rds_instances.install()
    rds_failover.install()
    use_backend(rds_backends, Rds)
    use_response(urls, RDSResponse, RdsCalls)

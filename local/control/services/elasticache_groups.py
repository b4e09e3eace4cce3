"""ElastiCache replication groups: as many nodes as asked for, addresses of this machine, ready when reported.

AWS, "CreateReplicationGroup": failover needs a replica, Multi-AZ needs failover, user groups need encryption in
transit; the parameter group's family must be the engine version's.
"""

from __future__ import annotations

from typing import Any

from moto.elasticache.exceptions import ElastiCacheException, InvalidParameterCombinationException
from moto.elasticache.models import ReplicationGroup

from local.control.cloud import CLOUD
from local.control.services.elasticache_parameters import FAMILIES, ParameterGroups
from local.control.services.elasticache_users import Users

_CHANGES = {
    "ReplicationGroupDescription": "description",
    "CacheNodeType": "cache_node_type",
    "Engine": "engine",
    "EngineVersion": "engine_version",
    "CacheParameterGroupName": "cache_parameter_group_name",
    "SecurityGroupIds": "security_group_ids",
    "PreferredMaintenanceWindow": "preferred_maintenance_window",
    "SnapshotRetentionLimit": "snapshot_retention_limit",
    "SnapshotWindow": "snapshot_window",
    "NotificationTopicArn": "notification_topic_arn",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "TransitEncryptionEnabled": "transit_encryption_enabled",
    "TransitEncryptionMode": "transit_encryption_mode",
}
_SWITCHES = {"AutomaticFailoverEnabled": "automatic_failover", "MultiAZEnabled": "multi_az"}


class StoreGroup(ReplicationGroup):
    """A replication group with one primary and its replicas."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.zones: list[str] = []
        super().__init__(*args, **kwargs)
        versions = FAMILIES[self.engine]
        self.engine_version = self.engine_version or max(versions)
        family = versions.get(self.engine_version, "")
        self.cache_parameter_group_name = self.cache_parameter_group_name or f"default.{family}"
        self.preferred_maintenance_window = self.preferred_maintenance_window or "sun:05:00-sun:06:00"
        self.user_group_ids = list(self.user_group_ids)

    @property
    def status(self) -> str:
        if not CLOUD.data_plane:
            return "available"
        return CLOUD.reports.elasticache.get(self.replication_group_id, "creating")

    @status.setter
    def status(self, _: str) -> None:
        """moto says `available` at once; what really runs decides."""

    def set_nodes(self, count: int) -> None:
        """Gives the group `count` nodes, the first of them the primary."""
        name = self.replication_group_id
        self.member_clusters = [f"{name}-{number:03d}" for number in range(1, count + 1)]
        primary = self._endpoint("primary")
        reader = self._endpoint(self.member_clusters[1]) if count > 1 else primary
        members = [
            {
                "CacheClusterId": member,
                "CacheNodeId": "0001",
                "ReadEndpoint": self._endpoint(member),
                "PreferredAvailabilityZone": self.zones[index % len(self.zones)] if self.zones else None,
                "CurrentRole": "replica" if index else "primary",
            }
            for index, member in enumerate(self.member_clusters)
        ]
        self.node_groups = [
            {
                "NodeGroupId": "0001",
                "PrimaryEndpoint": primary,
                "ReaderEndpoint": reader,
                "NodeGroupMembers": members,
                "Status": self.status,
            }
        ]

    def clusters(self, subnet_group: str | None) -> list[dict[str, Any]]:
        """The nodes as DescribeCacheClusters shows them."""
        members = self.node_groups[0]["NodeGroupMembers"]
        shared = {
            "ReplicationGroupId": self.replication_group_id,
            "CacheClusterStatus": self.status,
            "CacheNodeType": self.cache_node_type,
            "Engine": self.engine,
            "EngineVersion": self.engine_version,
            "NumCacheNodes": 1,
            "PreferredMaintenanceWindow": self.preferred_maintenance_window,
            "CacheParameterGroup": {
                "CacheParameterGroupName": self.cache_parameter_group_name,
                "ParameterApplyStatus": "in-sync",
            },
            "CacheSubnetGroupName": subnet_group,
            "SecurityGroups": [{"SecurityGroupId": each, "Status": "active"} for each in self.security_group_ids or []],
            "AutoMinorVersionUpgrade": self.auto_minor_version_upgrade,
            "SnapshotRetentionLimit": self.snapshot_retention_limit,
            "SnapshotWindow": self.snapshot_window,
            "AuthTokenEnabled": self.auth_token_enabled,
            "TransitEncryptionEnabled": self.transit_encryption_enabled,
            "TransitEncryptionMode": self.transit_encryption_mode,
            "AtRestEncryptionEnabled": self.at_rest_encryption_enabled,
            "NotificationConfiguration": {"TopicArn": self.notification_topic_arn, "TopicStatus": "active"}
            if self.notification_topic_arn
            else None,
        }
        return [
            {
                **shared,
                "CacheClusterId": member["CacheClusterId"],
                "ARN": self.arn.replace(
                    f"replicationgroup:{self.replication_group_id}", f"cluster:{member['CacheClusterId']}"
                ),
                "PreferredAvailabilityZone": member["PreferredAvailabilityZone"],
                "CacheNodes": [
                    {"CacheNodeId": "0001", "CacheNodeStatus": self.status, "Endpoint": member["ReadEndpoint"]}
                ],
            }
            for member in members
        ]

    def change(self, params: dict[str, Any]) -> None:
        """Takes over what ModifyReplicationGroup names."""
        for key, attribute in _CHANGES.items():
            if params.get(key) is not None:
                setattr(self, attribute, params[key])
        for key, attribute in _SWITCHES.items():
            if key in params:
                setattr(self, attribute, "enabled" if params[key] else "disabled")
        removed = self.user_group_ids if params.get("RemoveUserGroups") else params.get("UserGroupIdsToRemove", [])
        kept = [group for group in self.user_group_ids if group not in removed]
        self.user_group_ids = [*kept, *params.get("UserGroupIdsToAdd", [])]

    def release_addresses(self) -> None:
        """Gives the addresses of the group back."""
        for part in ["primary", *self.member_clusters]:
            CLOUD.release_address(f"elasticache/{self.replication_group_id}/{part}")

    def _endpoint(self, part: str) -> dict[str, Any]:
        address = CLOUD.address_of(f"elasticache/{self.replication_group_id}/{part}")
        return {"Address": address, "Port": self.port}


class StoreGroups(ParameterGroups, Users):
    def store(self, group_id: str) -> StoreGroup:
        """The replication group of that id, or ReplicationGroupNotFoundFault."""
        (group,) = self.describe_replication_groups(group_id)
        assert isinstance(group, StoreGroup)
        return group

    def check_settings(self, params: dict[str, Any], nodes: int) -> None:
        """Refuses what CreateReplicationGroup and ModifyReplicationGroup refuse; `params` as they take them."""
        if params.get("AutomaticFailoverEnabled") and nodes < 2:
            raise InvalidParameterCombinationException("Automatic failover needs at least one replica.")
        if params.get("MultiAZEnabled") and params.get("AutomaticFailoverEnabled") is False:
            raise InvalidParameterCombinationException("Must enable automatic failover in order to enable Multi-AZ.")
        for group in [*params.get("UserGroupIds", []), *params.get("UserGroupIdsToAdd", [])]:
            self.user_group(group)

    def check_engine(self, engine: str, version: str | None, parameter_group: str | None) -> None:
        """Refuses an engine version that does not exist, or one that does not fit the parameter group."""
        versions = FAMILIES.get(engine, {})
        if version is not None and version not in versions:
            message = f"The specified version {version} of {engine} is not one of {', '.join(versions)}"
            raise ElastiCacheException("InvalidParameterValue", message)
        if parameter_group is None:
            return
        family = self.parameter_group(parameter_group).family
        if family != versions[version or max(versions)]:
            message = f"Parameter group {parameter_group} is for {family}, not for {engine} {version}"
            raise InvalidParameterCombinationException(message)

    def remove(self, group_id: str) -> StoreGroup:
        """DeleteReplicationGroup: it is gone at once."""
        group = self.store(group_id)
        group.release_addresses()
        CLOUD.reports.elasticache.pop(group_id, None)
        del self.replication_groups[group_id]
        return group

"""An ElastiCache replication group: as many nodes as asked for, addresses of this machine, ready when reported."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.elasticache.models import ReplicationGroup

from local.control.cloud import CLOUD, NodeReport
from local.control.services.elasticache_parameters import FAMILIES

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

NODE_GROUP_ID, NODE_ID = "0001", "0001"
"""Of the only node group, and of the only node of a cache cluster."""


class StoreGroup(ReplicationGroup):
    """A replication group with one primary and its replicas.

    Attributes:
        zones: where its nodes are, in turn.
        primary: cache cluster id of the primary.
        failing_over: from which primary to which, until that is done.
        recovering: cache clusters with a new node in place of a failed one, until it is available.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.zones: list[str] = []
        self.primary = ""
        self.failing_over: tuple[str, str] | None = None
        self.recovering: set[str] = set()
        self._created: dict[str, datetime] = {}
        self._served = False
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
        status = CLOUD.reports.elasticache.get(self.replication_group_id, "creating")
        if status == "create-failed" or (status == "available" and all(map(self._in_service, self.member_clusters))):
            return status
        return "modifying" if self._served else "creating"

    @status.setter
    def status(self, _: str) -> None:
        """moto says `available` at once; what really runs decides."""

    @property
    def node_groups(self) -> list[dict[str, Any]]:
        return [self._node_group()] if self._created else self._motos_groups

    @node_groups.setter
    def node_groups(self, groups: list[dict[str, Any]]) -> None:
        self._motos_groups = groups

    def note_service(self) -> None:
        """Remembers that the group has been available: what it does from then on is no creation."""
        self._served = self._served or self.status == "available"

    def set_nodes(self, count: int) -> None:
        """Gives the group `count` nodes: new ones are replicas, and the primary is never taken away."""
        members = set(self.member_clusters) & self._created.keys()
        while len(members) > count:
            members.remove(max(members - {self.primary}))
        names = (f"{self.replication_group_id}-{number:03d}" for number in itertools.count(1))
        while len(members) < count:
            members.add(next(name for name in names if name not in members))
        for gone in self._created.keys() - members:
            self._forget(gone)
        self.member_clusters = sorted(members)
        self.primary = self.primary or self.member_clusters[0]
        self._created = {member: self._created.get(member) or _now() for member in self.member_clusters}

    def hand_over(self, to: str) -> None:
        """Makes a replica the primary; a new node, a replica, takes the place of the old primary."""
        old, self.primary = self.primary, to
        self.replace(old)

    def replace(self, member: str) -> None:
        """Puts a new node in the place of one."""
        self._created[member] = max(_now(), self._created[member] + timedelta(seconds=1))

    def replicas(self) -> dict[str, NodeReport]:
        """How the replicas are, by cache cluster id."""
        return {member: self._report(member) for member in self.member_clusters if member != self.primary}

    def failed(self) -> list[str]:
        """Members whose node failed and was not replaced yet."""
        return [member for member in self.member_clusters if self._report(member).state == "failed"]

    def is_available(self, member: str) -> bool:
        """True once the node that should be there now serves."""
        return self._report(member).state == "available"

    def is_primary_now(self, member: str) -> bool:
        """True once that node really takes writes."""
        report = self._report(member)
        return report.role == "primary" and report.state == "available"

    def _in_service(self, member: str) -> bool:
        return self._report(member).state in ("available", "silent")

    def _report(self, member: str) -> NodeReport:
        """What is known of the node that should be there; what was said of the one before it does not count."""
        role, created = "primary" if member == self.primary else "replica", int(self._created[member].timestamp())
        if not CLOUD.data_plane:
            return NodeReport("available", role, created)
        report = CLOUD.reports.nodes.get(member)
        return report if report is not None and report.created == created else NodeReport("creating", role, created)

    def _node_group(self) -> dict[str, Any]:
        replicas = [member for member in self.member_clusters if member != self.primary]
        members = [
            {
                "CacheClusterId": member,
                "CacheNodeId": NODE_ID,
                "ReadEndpoint": self._endpoint(member),
                "PreferredAvailabilityZone": self._zone(member),
                "CurrentRole": "primary" if member == self.primary else "replica",
            }
            for member in self.member_clusters
        ]
        return {
            "NodeGroupId": NODE_GROUP_ID,
            "PrimaryEndpoint": self._endpoint("primary"),
            "ReaderEndpoint": self._endpoint(replicas[0] if replicas else "primary"),
            "NodeGroupMembers": members,
            "Status": self.status,
        }

    def _zone(self, member: str) -> str | None:
        number = int(member.rpartition("-")[2])
        return self.zones[(number - 1) % len(self.zones)] if self.zones else None

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
        return [{**shared, **self._cluster(member)} for member in members]

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
            self._forget(part)

    def _forget(self, part: str) -> None:
        CLOUD.release_address(f"elasticache/{self.replication_group_id}/{part}")
        CLOUD.reports.nodes.pop(part, None)

    def _cluster(self, member: dict[str, Any]) -> dict[str, Any]:
        """What is a node's own of what DescribeCacheClusters shows."""
        name = member["CacheClusterId"]
        return {
            "CacheClusterId": name,
            "ARN": self.arn.replace(f"replicationgroup:{self.replication_group_id}", f"cluster:{name}"),
            "PreferredAvailabilityZone": member["PreferredAvailabilityZone"],
            "CacheNodes": [
                {
                    "CacheNodeId": NODE_ID,
                    "CacheNodeStatus": self.status,
                    "CacheNodeCreateTime": self._created[name],
                    "Endpoint": member["ReadEndpoint"],
                }
            ],
        }

    def _endpoint(self, part: str) -> dict[str, Any]:
        address = CLOUD.address_of(f"elasticache/{self.replication_group_id}/{part}")
        return {"Address": address, "Port": self.port}


def _now() -> datetime:
    # Whole seconds: they travel to the data plane and back.
    return datetime.now(UTC).replace(microsecond=0)

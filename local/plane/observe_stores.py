"""RDS instances and replication groups, as AWS describes them -> what to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.plane.address import Address
from local.plane.pages import pages
from local.plane.wanted import Database, Main, StoreNode, StoreUser

_GONE = frozenset({"deleting"})
_PAUSED = frozenset({"stopped", "stopping"})
_FAILING_OVER = "rebooting"


@dataclass(frozen=True)
class Databases:
    """The databases to run, the names of those that are stopped for now, and of those that fail over."""

    running: tuple[Database, ...]
    paused: frozenset[str]
    cut_off: frozenset[str]


def databases(rds: Any, passwords: Mapping[str, Mapping[str, str]]) -> Databases:
    """What to do with the databases.

    Args:
        rds: boto3 client.
        passwords: master user, password and database, by identifier of the instance.
    """
    described = {one["DBInstanceIdentifier"]: one for one in pages(rds, "describe_db_instances", "DBInstances")}
    running = []
    paused, cut_off = set(), set()
    for identifier, instance in described.items():
        if instance["DBInstanceStatus"] in _PAUSED:
            paused.add(f"rds-{identifier}")
        elif instance["DBInstanceStatus"] == _FAILING_OVER:
            cut_off.add(f"rds-{identifier}")
        elif instance["DBInstanceStatus"] not in _GONE and identifier in passwords:
            running.append(_database(instance, described, passwords[identifier]))
    return Databases(tuple(running), frozenset(paused), frozenset(cut_off))


def _database(
    instance: Mapping[str, Any], described: Mapping[str, Mapping[str, Any]], login: Mapping[str, str]
) -> Database:
    source = described.get(instance.get("ReadReplicaSourceDBInstanceIdentifier", "").rpartition(":")[2])
    return Database(
        identifier=instance["DBInstanceIdentifier"],
        address=_address(instance["Endpoint"]),
        username=login["username"],
        password=login["password"],
        database=login.get("database"),
        source=Main(source["DBInstanceIdentifier"], _address(source["Endpoint"])) if source else None,
        zone=instance["AvailabilityZone"],
        multi_az=instance["MultiAZ"],
    )


def store_nodes(elasticache: Any, users: Mapping[str, list[Mapping[str, Any]]]) -> tuple[StoreNode, ...]:
    """The nodes of all replication groups.

    Args:
        elasticache: boto3 client.
        users: username, passwords and access string, by identifier of the replication group.
    """
    # Before their roles: a new node must never be seen in the role of the one that it replaces.
    clusters = {
        cluster["CacheClusterId"]: cluster
        for cluster in pages(elasticache, "describe_cache_clusters", "CacheClusters", ShowCacheNodeInfo=True)
    }
    groups = pages(elasticache, "describe_replication_groups", "ReplicationGroups") if clusters else []
    names = {cluster["CacheParameterGroup"]["CacheParameterGroupName"] for cluster in clusters.values()}
    parameters = {name: _parameters(elasticache, name) for name in names}
    # A group that was made after its passwords or its nodes were asked for is run by the next look.
    return tuple(
        _node(group, member, clusters[member["CacheClusterId"]], parameters, users)
        for group in groups
        if group["Status"] not in _GONE and group["ReplicationGroupId"] in users
        for member in group["NodeGroups"][0]["NodeGroupMembers"]
        if member["CacheClusterId"] in clusters
    )


def _node(
    group: Mapping[str, Any],
    member: Mapping[str, Any],
    cluster: Mapping[str, Any],
    parameters: Mapping[str, tuple[tuple[str, str], ...]],
    users: Mapping[str, list[Mapping[str, Any]]],
) -> StoreNode:
    endpoint, is_primary = _address(group["NodeGroups"][0]["PrimaryEndpoint"]), member["CurrentRole"] == "primary"
    return StoreNode(
        group=group["ReplicationGroupId"],
        identifier=member["CacheClusterId"],
        address=_address(member["ReadEndpoint"]),
        primary=None if is_primary else endpoint,
        parameters=parameters[cluster["CacheParameterGroup"]["CacheParameterGroupName"]],
        users=tuple(map(_user, users[group["ReplicationGroupId"]])),
        endpoint=endpoint if is_primary else None,
        created=int(cluster["CacheNodes"][0]["CacheNodeCreateTime"].timestamp()),
        keeps_data=is_primary and len(group["MemberClusters"]) > 1 and group["AutomaticFailover"] != "enabled",
    )


def _user(user: Mapping[str, Any]) -> StoreUser:
    return StoreUser(user["username"], tuple(user["passwords"]), user["access"])


def _parameters(elasticache: Any, group: str) -> tuple[tuple[str, str], ...]:
    described = pages(elasticache, "describe_cache_parameters", "Parameters", CacheParameterGroupName=group)
    return tuple(
        sorted((one["ParameterName"], one["ParameterValue"]) for one in described if one.get("ParameterValue"))
    )


def _address(endpoint: Mapping[str, Any]) -> Address:
    return Address(endpoint["Address"], int(endpoint["Port"]))

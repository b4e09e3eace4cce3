"""RDS instances and replication groups, as AWS describes them -> what to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.plane.pages import pages
from local.plane.wanted import Address, Database, Main, StoreNode, StoreUser

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
    groups = pages(elasticache, "describe_replication_groups", "ReplicationGroups")
    # A group that was made after its passwords were asked for is run by the next look.
    alive = [one for one in groups if one["Status"] not in _GONE and one["ReplicationGroupId"] in users]
    clusters = pages(elasticache, "describe_cache_clusters", "CacheClusters") if alive else []
    names = {
        cluster.get("ReplicationGroupId"): cluster.get("CacheParameterGroup", {}).get("CacheParameterGroupName")
        for cluster in clusters
    }
    parameters = {name: _parameters(elasticache, name) for name in set(names.values()) if name}
    return tuple(
        node
        for group in alive
        for node in _nodes(group, parameters.get(names.get(group["ReplicationGroupId"]), ()), users)
    )


def _nodes(
    group: Mapping[str, Any],
    parameters: tuple[tuple[str, str], ...],
    users: Mapping[str, list[Mapping[str, Any]]],
) -> list[StoreNode]:
    identifier = group["ReplicationGroupId"]
    shard = group["NodeGroups"][0]
    primary = _address(shard["PrimaryEndpoint"])
    members = shard["NodeGroupMembers"]
    return [
        StoreNode(
            group=identifier,
            identifier=member["CacheClusterId"],
            address=primary if _is_primary(member) else _address(member["ReadEndpoint"]),
            primary=None if _is_primary(member) else primary,
            parameters=parameters,
            users=tuple(map(_user, users[identifier])),
            own_host=member["ReadEndpoint"]["Address"] if _is_primary(member) else None,
        )
        for member in members
    ]


def _user(user: Mapping[str, Any]) -> StoreUser:
    return StoreUser(user["username"], tuple(user["passwords"]), user["access"])


def _is_primary(member: Mapping[str, Any]) -> bool:
    return bool(member.get("CurrentRole") == "primary")


def _parameters(elasticache: Any, group: str) -> tuple[tuple[str, str], ...]:
    described = pages(elasticache, "describe_cache_parameters", "Parameters", CacheParameterGroupName=group)
    return tuple(
        sorted((one["ParameterName"], one["ParameterValue"]) for one in described if one.get("ParameterValue"))
    )


def _address(endpoint: Mapping[str, Any]) -> Address:
    return Address(endpoint["Address"], int(endpoint["Port"]))

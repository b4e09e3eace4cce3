"""Users, groups of users, subnets and parameters, and replication groups."""

from __future__ import annotations

from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Row, Step, Tags, Wait
from local.provider.tagging import arn_tags


def _tags(kind: str) -> Tags:
    def whose(it: Item) -> Values:
        return {"ResourceName": it.aws.arn("elasticache", f"{kind}:{it.id}")}

    return arn_tags("add_tags_to_resource", whose, path="TagList")


SUBNET_GROUP = Row(
    kind="aws:elasticache/subnetGroup:SubnetGroup",
    service="elasticache",
    create=Call("create_cache_subnet_group"),
    id="CacheSubnetGroup.CacheSubnetGroupName",
    find=Find("describe_cache_subnet_groups", lambda it: {"CacheSubnetGroupName": it.id}, "CacheSubnetGroups[0]"),
    updates=(
        Call(
            "modify_cache_subnet_group",
            lambda it: {"CacheSubnetGroupName": it.id},
            takes=("description", "subnetIds"),
        ),
    ),
    writes={"name": "CacheSubnetGroupName", "description": "CacheSubnetGroupDescription"},
    reads={"subnetIds": "Subnets[].SubnetIdentifier"},
    name=Name(length=255),
    tags=_tags("subnetgroup"),
    delete=Call("delete_cache_subnet_group", lambda it: {"CacheSubnetGroupName": it.id}),
)


def _parameters(parameters: Any) -> list[Values]:
    return [{"ParameterName": entry["name"], "ParameterValue": str(entry["value"])} for entry in parameters]


def _set_parameters(it: Item) -> None:
    wanted = it.new.get("parameters") or []
    names = {entry["name"] for entry in wanted}
    removed = [entry for entry in it.old.get("parameters") or [] if entry["name"] not in names]
    group = {"CacheParameterGroupName": it.id}
    if removed:
        it.aws.call("elasticache", "reset_cache_parameter_group", **group, ParameterNameValues=_parameters(removed))
    if wanted:
        it.aws.call("elasticache", "modify_cache_parameter_group", **group, ParameterNameValues=_parameters(wanted))


PARAMETER_GROUP = Row(
    kind="aws:elasticache/parameterGroup:ParameterGroup",
    service="elasticache",
    create=Call("create_cache_parameter_group"),
    id="CacheParameterGroup.CacheParameterGroupName",
    find=Find(
        "describe_cache_parameter_groups", lambda it: {"CacheParameterGroupName": it.id}, "CacheParameterGroups[0]"
    ),
    more=(
        Find(
            "describe_cache_parameters",
            lambda it: {"CacheParameterGroupName": it.id, "Source": "user"},
            "Parameters[].{Name: ParameterName, Value: ParameterValue}",
            "parameters",
        ),
    ),
    updates=(Step(("parameters",), _set_parameters),),
    writes={"name": "CacheParameterGroupName", "family": "CacheParameterGroupFamily"},
    reads={"parameters": "parameters"},
    name=Name(length=255),
    tags=_tags("parametergroup"),
    delete=Call("delete_cache_parameter_group", lambda it: {"CacheParameterGroupName": it.id}),
)

USER = Row(
    kind="aws:elasticache/user:User",
    service="elasticache",
    create=Call("create_user"),
    id="UserId",
    find=Find("describe_users", lambda it: {"UserId": it.id}, "Users[0]"),
    updates=(
        Call(
            "modify_user",
            lambda it: {"UserId": it.id},
            takes=("accessString", "authenticationMode", "noPasswordRequired", "passwords"),
        ),
    ),
    hidden=frozenset({"authenticationMode", "noPasswordRequired", "passwords"}),
    secrets=frozenset({"authenticationMode", "passwords"}),
    tags=_tags("user"),
    ready=Wait("active", "Status", frozenset({"active"})),
    delete=Call("delete_user", lambda it: {"UserId": it.id}),
    gone=Wait("deleted", "Status", frozenset()),
    delete_first=True,
)


def _set_members(it: Item) -> None:
    old, new = set(it.old.get("userIds") or ()), set(it.new.get("userIds") or ())
    changes = {"UserIdsToAdd": sorted(new - old), "UserIdsToRemove": sorted(old - new)}
    wanted = {key: ids for key, ids in changes.items() if ids}
    it.aws.call("elasticache", "modify_user_group", UserGroupId=it.id, **wanted)


USER_GROUP = Row(
    kind="aws:elasticache/userGroup:UserGroup",
    service="elasticache",
    create=Call("create_user_group"),
    id="UserGroupId",
    find=Find("describe_user_groups", lambda it: {"UserGroupId": it.id}, "UserGroups[0]"),
    updates=(Step(("userIds",), _set_members),),
    tags=_tags("usergroup"),
    ready=Wait("active", "Status", frozenset({"active"})),
    delete=Call("delete_user_group", lambda it: {"UserGroupId": it.id}),
    gone=Wait("deleted", "Status", frozenset()),
    delete_first=True,
)


def _set_node_count(it: Item) -> None:
    old, new = it.old.get("numCacheClusters"), it.new.get("numCacheClusters")
    if not (old and new):
        return
    operation = "increase_replica_count" if new > old else "decrease_replica_count"
    it.aws.call("elasticache", operation, ReplicationGroupId=it.id, NewReplicaCount=new - 1, ApplyImmediately=True)


def _set_user_groups(it: Item) -> None:
    old, new = set(it.old.get("userGroupIds") or ()), set(it.new.get("userGroupIds") or ())
    changes = {"UserGroupIdsToAdd": sorted(new - old), "UserGroupIdsToRemove": sorted(old - new)}
    wanted = {key: ids for key, ids in changes.items() if ids}
    it.aws.call("elasticache", "modify_replication_group", ReplicationGroupId=it.id, ApplyImmediately=True, **wanted)


def _enabled(word: str) -> Any:
    return lambda found, _it: found.get(word) == "enabled"


REPLICATION_GROUP = Row(
    kind="aws:elasticache/replicationGroup:ReplicationGroup",
    service="elasticache",
    create=Call("create_replication_group"),
    id="ReplicationGroup.ReplicationGroupId",
    find=Find("describe_replication_groups", lambda it: {"ReplicationGroupId": it.id}, "ReplicationGroups[0]"),
    more=(Find("describe_cache_clusters", lambda it: {"CacheClusterId": f"{it.id}-001"}, "CacheClusters[0]", "node"),),
    updates=(
        Call(
            "modify_replication_group",
            lambda it: {"ReplicationGroupId": it.id, "ApplyImmediately": bool(it["applyImmediately"])},
            without=("userGroupIds",),
        ),
        Step(("numCacheClusters",), _set_node_count),
        Step(("userGroupIds",), _set_user_groups),
    ),
    writes={
        "description": "ReplicationGroupDescription",
        "nodeType": "CacheNodeType",
        "parameterGroupName": "CacheParameterGroupName",
        "subnetGroupName": "CacheSubnetGroupName",
        "maintenanceWindow": "PreferredMaintenanceWindow",
    },
    reads={
        "automaticFailoverEnabled": _enabled("AutomaticFailover"),
        "description": "Description",
        "engine": "node.Engine || Engine",
        "engineVersion": "node.EngineVersion",
        "maintenanceWindow": "node.PreferredMaintenanceWindow",
        "memberClusters": "MemberClusters",
        "multiAzEnabled": _enabled("MultiAZ"),
        "notificationTopicArn": "node.NotificationConfiguration.TopicArn",
        "numCacheClusters": "length(MemberClusters)",
        "parameterGroupName": "node.CacheParameterGroup.CacheParameterGroupName",
        "port": "NodeGroups[0].PrimaryEndpoint.Port",
        "primaryEndpointAddress": "NodeGroups[0].PrimaryEndpoint.Address",
        "readerEndpointAddress": "NodeGroups[0].ReaderEndpoint.Address",
        "securityGroupIds": "node.SecurityGroups[].SecurityGroupId",
        "subnetGroupName": "node.CacheSubnetGroupName",
    },
    hidden=frozenset({"authToken"}),
    own=frozenset({"applyImmediately", "finalSnapshotIdentifier"}),
    secrets=frozenset({"authToken"}),
    tags=_tags("replicationgroup"),
    ready=Wait("available", "Status", frozenset({"available"}), frozenset({"create-failed"})),
    delete=Call(
        "delete_replication_group",
        lambda it: {
            "ReplicationGroupId": it.id,
            **({"FinalSnapshotIdentifier": it["finalSnapshotIdentifier"]} if it["finalSnapshotIdentifier"] else {}),
        },
    ),
    gone=Wait("deleted", "Status", frozenset()),
    delete_first=True,
)

ROWS = (SUBNET_GROUP, PARAMETER_GROUP, USER, USER_GROUP, REPLICATION_GROUP)

"""Replication groups, their users and parameters, as AWS treats them; ready once the data plane says so."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import make_network, name

PASSWORD = "a-password-of-24-characters"


def _parameter_group(control: Control, family: str = "valkey8", **values: str) -> str:
    group = name("parameters")
    client = control.client("elasticache")
    client.create_cache_parameter_group(
        CacheParameterGroupName=group, CacheParameterGroupFamily=family, Description="for a test"
    )
    if values:
        changes = [{"ParameterName": key.replace("_", "-"), "ParameterValue": value} for key, value in values.items()]
        client.modify_cache_parameter_group(CacheParameterGroupName=group, ParameterNameValues=changes)
    return group


def _user_group(control: Control, engine: str = "valkey") -> tuple[str, str]:
    user, group, client = name("user"), name("users"), control.client("elasticache")
    client.create_user(
        UserId=user,
        UserName="app",
        Engine=engine,
        AccessString="on ~* +@all",
        AuthenticationMode={"Type": "password", "Passwords": [PASSWORD]},
    )
    client.create_user_group(UserGroupId=group, Engine=engine, UserIds=[user])
    return user, group


def _group(control: Control, **options: Any) -> dict[str, Any]:
    given = {
        "ReplicationGroupId": name("store"),
        "ReplicationGroupDescription": "for a test",
        "Engine": "valkey",
        "EngineVersion": "8.0",
        "CacheNodeType": "cache.t4g.micro",
        "NumCacheClusters": 2,
        "AutomaticFailoverEnabled": True,
        "TransitEncryptionEnabled": True,
    }
    answer = control.client("elasticache").create_replication_group(**{**given, **options})
    found: dict[str, Any] = answer["ReplicationGroup"]
    return found


def _describe(control: Control, group: str) -> dict[str, Any]:
    answer = control.client("elasticache").describe_replication_groups(ReplicationGroupId=group)
    found: dict[str, Any] = answer["ReplicationGroups"][0]
    return found


def _nodes(control: Control, group: str) -> list[dict[str, Any]]:
    clusters = control.client("elasticache").describe_cache_clusters()["CacheClusters"]
    return [cluster for cluster in clusters if cluster.get("ReplicationGroupId") == group]


def available(node: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A node that the data plane reports as good."""
    created = int(node["CacheNodes"][0]["CacheNodeCreateTime"].timestamp())
    return node["CacheClusterId"], {"state": "available", "role": "replica", "created": created}


@pytest.mark.parametrize("count", [1, 3])
def test_a_group_has_as_many_nodes_as_asked_for(control: Control, count: int) -> None:
    group = _group(control, NumCacheClusters=count, AutomaticFailoverEnabled=count > 1)
    members = group["NodeGroups"][0]["NodeGroupMembers"]
    assert group["MemberClusters"] == [f"{group['ReplicationGroupId']}-{i + 1:03d}" for i in range(count)]
    assert [member["CurrentRole"] for member in members] == ["primary", *["replica"] * (count - 1)]
    addresses = [member["ReadEndpoint"]["Address"] for member in members]
    addresses.append(group["NodeGroups"][0]["PrimaryEndpoint"]["Address"])
    assert len(set(addresses)) == count + 1
    assert all(address.startswith(f"127.{control.network + 1}.") for address in addresses)


def test_a_node_tells_where_it_is_and_what_guards_it(control: Control) -> None:
    network, subnets = make_network(control), name("subnets")
    security = control.client("ec2").create_security_group(GroupName=name("sg"), Description="x", VpcId=network.vpc)
    client = control.client("elasticache")
    client.create_cache_subnet_group(
        CacheSubnetGroupName=subnets, CacheSubnetGroupDescription="x", SubnetIds=list(network.subnets)
    )
    parameters = _parameter_group(control)
    group = _group(
        control,
        CacheSubnetGroupName=subnets,
        SecurityGroupIds=[security["GroupId"]],
        CacheParameterGroupName=parameters,
    )
    nodes = _nodes(control, group["ReplicationGroupId"])
    assert {node["PreferredAvailabilityZone"] for node in nodes} == {"eu-central-1a", "eu-central-1b"}
    assert nodes[0]["CacheSubnetGroupName"] == subnets
    assert nodes[0]["SecurityGroups"][0]["SecurityGroupId"] == security["GroupId"]
    assert nodes[0]["CacheParameterGroup"]["CacheParameterGroupName"] == parameters
    with pytest.raises(ClientError, match="CacheSubnetGroupInUse"):
        client.delete_cache_subnet_group(CacheSubnetGroupName=subnets)
    with pytest.raises(ClientError, match="DependencyViolation"):
        control.client("ec2").delete_security_group(GroupId=security["GroupId"])
    with pytest.raises(ClientError, match="InvalidCacheParameterGroupState"):
        client.delete_cache_parameter_group(CacheParameterGroupName=parameters)


def test_a_deleted_group_is_gone_and_its_subnet_group_can_go(control: Control) -> None:
    client, network, subnets = control.client("elasticache"), make_network(control), name("subnets")
    client.create_cache_subnet_group(
        CacheSubnetGroupName=subnets, CacheSubnetGroupDescription="x", SubnetIds=list(network.subnets)
    )
    group = _group(control, CacheSubnetGroupName=subnets)["ReplicationGroupId"]
    client.delete_replication_group(ReplicationGroupId=group, FinalSnapshotIdentifier=f"{group}-final")
    with pytest.raises(ClientError, match="ReplicationGroupNotFoundFault"):
        _describe(control, group)
    assert client.describe_snapshots(SnapshotName=f"{group}-final")["Snapshots"]
    client.delete_cache_subnet_group(CacheSubnetGroupName=subnets)
    with pytest.raises(ClientError, match="CacheSubnetGroupNotFound"):
        client.describe_cache_subnet_groups(CacheSubnetGroupName=subnets)


def test_a_subnet_group_can_be_changed(control: Control) -> None:
    client, network, subnets = control.client("elasticache"), make_network(control), name("subnets")
    client.create_cache_subnet_group(
        CacheSubnetGroupName=subnets, CacheSubnetGroupDescription="x", SubnetIds=list(network.subnets)
    )
    client.modify_cache_subnet_group(CacheSubnetGroupName=subnets, SubnetIds=[network.subnets[0]])
    (found,) = client.describe_cache_subnet_groups(CacheSubnetGroupName=subnets)["CacheSubnetGroups"]
    assert [subnet["SubnetIdentifier"] for subnet in found["Subnets"]] == [network.subnets[0]]


def test_parameters_that_are_set_are_told_apart_from_defaults(control: Control) -> None:
    group, client = _parameter_group(control, maxmemory_policy="noeviction"), control.client("elasticache")

    def described(**source: str) -> dict[str, str]:
        answer = client.describe_cache_parameters(CacheParameterGroupName=group, **source)
        return {each["ParameterName"]: each["ParameterValue"] for each in answer["Parameters"]}

    assert described(Source="user") == {"maxmemory-policy": "noeviction"}
    assert described()["timeout"] == "0"
    reset = [{"ParameterName": "maxmemory-policy", "ParameterValue": "x"}]
    client.reset_cache_parameter_group(CacheParameterGroupName=group, ParameterNameValues=reset)
    assert described()["maxmemory-policy"] == "volatile-lru"


@pytest.mark.parametrize("wrong", [("maxmemory-policy", "forget-all"), ("no-such-parameter", "1")])
def test_a_wrong_parameter_is_refused(control: Control, wrong: tuple[str, str]) -> None:
    group = _parameter_group(control)
    change = [{"ParameterName": wrong[0], "ParameterValue": wrong[1]}]
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        control.client("elasticache").modify_cache_parameter_group(
            CacheParameterGroupName=group, ParameterNameValues=change
        )


def test_the_data_plane_learns_the_passwords_and_nobody_else(control: Control) -> None:
    user, users = _user_group(control)
    group = _group(control, UserGroupIds=[users])["ReplicationGroupId"]
    told = control.local("GET", "passwords")["elasticache"][group]
    assert told == [{"username": "app", "passwords": [PASSWORD], "access": "on ~* +@all"}]
    second = PASSWORD.upper()
    control.client("elasticache").modify_user(UserId=user, Passwords=[PASSWORD, second], AccessString="off")
    told = control.local("GET", "passwords")["elasticache"][group]
    assert told == [{"username": "app", "passwords": [PASSWORD, second], "access": "off"}]


def test_a_user_group_in_use_stays(control: Control) -> None:
    _, users = _user_group(control)
    client = control.client("elasticache")
    group = _group(control, UserGroupIds=[users])["ReplicationGroupId"]
    with pytest.raises(ClientError, match="InvalidUserGroupState"):
        client.delete_user_group(UserGroupId=users)
    client.modify_replication_group(ReplicationGroupId=group, UserGroupIdsToRemove=[users])
    client.delete_user_group(UserGroupId=users)
    with pytest.raises(ClientError, match="UserGroupNotFound"):
        client.describe_user_groups(UserGroupId=users)


def test_members_of_a_user_group_change(control: Control) -> None:
    first, users = _user_group(control)
    client, other = control.client("elasticache"), name("user")
    client.create_user(UserId=other, UserName="reader", Engine="valkey", AccessString="off", Passwords=[PASSWORD])
    client.modify_user_group(UserGroupId=users, UserIdsToAdd=[other], UserIdsToRemove=[first])
    (found,) = client.describe_user_groups(UserGroupId=users)["UserGroups"]
    assert found["UserIds"] == [other]


def test_redis_needs_a_default_user_in_its_group(control: Control) -> None:
    with pytest.raises(ClientError, match="DefaultUserRequired"):
        _user_group(control, engine="redis")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"NumCacheClusters": 1}, "InvalidParameterCombination"),
        ({"AutomaticFailoverEnabled": False, "MultiAZEnabled": True}, "InvalidParameterCombination"),
        ({"EngineVersion": "99.9"}, "InvalidParameterValue"),
        ({"CacheParameterGroupName": "no-such-group"}, "CacheParameterGroupNotFound"),
        ({"CacheParameterGroupName": "default.redis7"}, "InvalidParameterCombination"),
        ({"UserGroupIds": ["no-such-group"]}, "UserGroupNotFound"),
        ({"CacheSubnetGroupName": "no-such-group"}, "CacheSubnetGroupNotFound"),
    ],
)
def test_what_aws_refuses_is_refused(control: Control, options: dict[str, Any], error: str) -> None:
    with pytest.raises(ClientError, match=error):
        _group(control, **options)


def test_user_groups_need_encryption_in_transit(control: Control) -> None:
    _, users = _user_group(control)
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        _group(control, UserGroupIds=[users], TransitEncryptionEnabled=False)


def test_replicas_are_added_and_removed(control: Control) -> None:
    group, client = _group(control)["ReplicationGroupId"], control.client("elasticache")
    client.increase_replica_count(ReplicationGroupId=group, NewReplicaCount=3, ApplyImmediately=True)
    assert len(_describe(control, group)["MemberClusters"]) == len(_nodes(control, group)) == 4
    client.decrease_replica_count(ReplicationGroupId=group, NewReplicaCount=1, ApplyImmediately=True)
    assert len(_nodes(control, group)) == 2
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        client.decrease_replica_count(ReplicationGroupId=group, NewReplicaCount=0, ApplyImmediately=True)


def test_changes_are_kept(control: Control) -> None:
    group, parameters = _group(control)["ReplicationGroupId"], _parameter_group(control)
    control.client("elasticache").modify_replication_group(
        ReplicationGroupId=group,
        CacheParameterGroupName=parameters,
        PreferredMaintenanceWindow="mon:03:00-mon:04:00",
        SnapshotRetentionLimit=5,
        ApplyImmediately=True,
    )
    node = _nodes(control, group)[0]
    assert node["CacheParameterGroup"]["CacheParameterGroupName"] == parameters
    assert node["PreferredMaintenanceWindow"] == "mon:03:00-mon:04:00"
    assert _describe(control, group)["SnapshotRetentionLimit"] == 5


def test_a_group_is_creating_until_it_really_runs(reported: Control) -> None:
    group = _group(reported)["ReplicationGroupId"]
    assert _describe(reported, group)["Status"] == "creating"
    reported.local("POST", "stores", {"elasticache": {group: "available"}})
    assert _describe(reported, group)["Status"] == "creating"
    reported.local("POST", "stores", {"nodes": dict(available(node) for node in _nodes(reported, group))})
    assert _describe(reported, group)["Status"] == "available"
    assert {node["CacheClusterStatus"] for node in _nodes(reported, group)} == {"available"}


def test_engine_versions_name_their_families(control: Control) -> None:
    answer = control.client("elasticache").describe_cache_engine_versions(Engine="valkey", EngineVersion="8.0")
    assert [each["CacheParameterGroupFamily"] for each in answer["CacheEngineVersions"]] == ["valkey8"]


def test_parameter_and_user_groups_carry_tags(control: Control) -> None:
    group, client = name("parameters"), control.client("elasticache")
    made = client.create_cache_parameter_group(
        CacheParameterGroupName=group,
        CacheParameterGroupFamily="valkey8",
        Description="x",
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    tags = client.list_tags_for_resource(ResourceName=made["CacheParameterGroup"]["ARN"])["TagList"]
    assert tags == [{"Key": "team", "Value": "blue"}]

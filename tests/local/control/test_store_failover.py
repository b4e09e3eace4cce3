"""What ElastiCache does with nodes that the data plane says have failed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import name


class Group:
    """A replication group of valkey, and the data plane's part of it."""

    def __init__(self, control: Control, nodes: int = 3, **options: Any) -> None:
        self.control, self.client, self.id = control, control.client("elasticache"), name("store")
        self.client.create_replication_group(
            ReplicationGroupId=self.id, ReplicationGroupDescription="for a test", Engine="valkey",
            CacheNodeType="cache.t4g.micro", NumCacheClusters=nodes,
            **{"AutomaticFailoverEnabled": nodes > 1, **options},
        )  # fmt: skip
        control.local("POST", "stores", {"elasticache": {self.id: "available"}})
        self.report(**dict.fromkeys(self.members, "available"))

    @property
    def described(self) -> dict[str, Any]:
        answer = self.client.describe_replication_groups(ReplicationGroupId=self.id)
        return dict(answer["ReplicationGroups"][0])

    @property
    def members(self) -> list[str]:
        return [member.removeprefix(f"{self.id}-") for member in self.described["MemberClusters"]]

    @property
    def primary(self) -> str:
        members = self.described["NodeGroups"][0]["NodeGroupMembers"]
        (primary,) = [one["CacheClusterId"] for one in members if one["CurrentRole"] == "primary"]
        return str(primary).removeprefix(f"{self.id}-")

    def created(self, node: str) -> int:
        answer = self.client.describe_cache_clusters(CacheClusterId=f"{self.id}-{node}", ShowCacheNodeInfo=True)
        return int(answer["CacheClusters"][0]["CacheNodes"][0]["CacheNodeCreateTime"].timestamp())

    def report(self, **states: Any) -> None:
        """Tells how nodes are: a state, or a state and an offset, by the number of the node."""
        nodes = {}
        for node, said in states.items():
            state, offset = (said, 0) if isinstance(said, str) else said
            role = "primary" if node == self.primary else "replica"
            nodes[f"{self.id}-{node}"] = {
                "state": state, "role": role, "created": self.created(node), "offset": offset,
            }  # fmt: skip
        self.control.local("POST", "stores", {"nodes": nodes})

    def messages(self) -> list[str]:
        ids = {self.id, *self.described["MemberClusters"]}
        events = self.client.describe_events()["Events"]
        return [event["Message"].replace(f"{self.id}-", "") for event in events if event["SourceIdentifier"] in ids]


COMPLETED = "Failover from primary node 001 to replica node 003 completed"
RECOVERY = ["Recovering cache nodes 0001", "Finished recovery for cache nodes 0001"]


def test_the_replica_with_the_least_lag_takes_over_and_the_endpoint_stays(reported: Control) -> None:
    group = Group(reported)
    endpoint, created = group.described["NodeGroups"][0]["PrimaryEndpoint"], group.created("001")
    group.report(**{"001": "failed", "002": ("available", 10), "003": ("available", 11)})
    assert group.primary == "003"
    assert group.described["NodeGroups"][0]["PrimaryEndpoint"] == endpoint
    assert group.created("001") > created
    assert group.described["Status"] == "modifying"
    assert group.messages() == []  # not before it is done
    group.report(**{"003": "available"})
    assert group.messages() == [COMPLETED, COMPLETED, RECOVERY[0]]
    group.report(**{"001": "available"})
    assert group.messages() == [COMPLETED, COMPLETED, *RECOVERY]
    assert group.described["Status"] == "available"


def test_a_silent_primary_or_a_failed_replica_is_no_failover(reported: Control) -> None:
    group = Group(reported)
    created = [group.created(node) for node in group.members]
    group.report(**{"001": "silent", "002": "failed"})
    assert group.primary == "001"
    assert [group.created(node) > before for node, before in zip(group.members, created, strict=True)] == [
        False, True, False,
    ]  # fmt: skip
    group.report(**{"002": "available"})
    assert group.messages() == RECOVERY


@pytest.mark.parametrize("options", [{}, {"AutomaticFailoverEnabled": False}], ids=["all failed", "switched off"])
def test_without_a_replica_that_can_a_new_primary_is_made(reported: Control, options: dict[str, bool]) -> None:
    group = Group(reported, nodes=2, **options)
    created = group.created("001")
    group.report(**{"001": "failed", "002": "available" if options else "failed"})
    assert group.primary == "001"
    assert group.created("001") > created


def test_old_news_of_a_node_that_was_replaced_does_not_count(reported: Control) -> None:
    group = Group(reported, nodes=1)
    old = {"state": "failed", "role": "primary", "created": group.created("001")}
    for _ in range(2):
        reported.local("POST", "stores", {"nodes": {f"{group.id}-001": old}})
    assert group.messages() == RECOVERY[:1]


def test_nodes_of_several_groups_that_failed_at_once_are_all_replaced_at_once(reported: Control) -> None:
    groups = [Group(reported, nodes=1) for _ in range(5)]  # many, or the clock would soon have settled the rest
    before = {f"{group.id}-001": group.created("001") for group in groups}
    failed = {node: {"state": "failed", "role": "primary", "created": created} for node, created in before.items()}
    reported.local("POST", "stores", {"nodes": failed})
    found = reported.client("elasticache").describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    after = {each["CacheClusterId"]: each["CacheNodes"][0]["CacheNodeCreateTime"].timestamp() for each in found}
    assert all(after[node] > created for node, created in before.items())


def test_failover_is_tested(control: Control) -> None:
    group = Group(control, nodes=2)
    group.client.test_failover(ReplicationGroupId=group.id, NodeGroupId="0001")
    assert group.primary == "002"
    completed = COMPLETED.replace("003", "002")
    assert group.messages() == ["Test Failover API called for node group 0001", completed, completed, *RECOVERY]
    node = group.client.describe_events(SourceType="cache-cluster", SourceIdentifier=f"{group.id}-001")["Events"]
    assert [event["Message"] for event in node][1:] == RECOVERY


def test_failover_is_not_tested_where_aws_refuses(reported: Control) -> None:
    group, alone = Group(reported, nodes=2), Group(reported, nodes=1)
    group.report(**{"002": "creating"})
    for wrong, error in [
        ((alone.id, "0001"), "TestFailoverNotAvailableFault"),
        ((group.id, "0002"), "NodeGroupNotFoundFault"),
        ((group.id, "0001"), "InvalidReplicationGroupState"),
        (("no-such-group", "0001"), "ReplicationGroupNotFoundFault"),
    ]:
        with pytest.raises(ClientError, match=error):
            group.client.test_failover(ReplicationGroupId=wrong[0], NodeGroupId=wrong[1])


def test_a_replica_is_promoted_by_name_once_automatic_failover_is_off(control: Control) -> None:
    group = Group(control)

    def promote(node: str, **options: bool) -> None:
        group.client.modify_replication_group(
            ReplicationGroupId=group.id, PrimaryClusterId=f"{group.id}-{node}", ApplyImmediately=True, **options
        )

    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        promote("003")
    promote("003", AutomaticFailoverEnabled=False)
    assert group.primary == "003"
    with pytest.raises(ClientError, match="CacheClusterNotFound"):
        promote("009")


def test_the_primary_stays_when_replicas_go(control: Control) -> None:
    group = Group(control, nodes=2)
    group.client.test_failover(ReplicationGroupId=group.id, NodeGroupId="0001")
    group.client.increase_replica_count(ReplicationGroupId=group.id, NewReplicaCount=2, ApplyImmediately=True)
    assert group.members == ["001", "002", "003"]
    group.client.decrease_replica_count(ReplicationGroupId=group.id, NewReplicaCount=1, ApplyImmediately=True)
    assert (group.members, group.primary) == (["001", "002"], "002")

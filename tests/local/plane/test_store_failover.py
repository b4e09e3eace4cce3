"""A replication group whose primary fails, end to end: what was acknowledged survives, and one node takes writes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import valkey

from tests.local.plane.cloud import Cloud, wait_for

pytestmark = pytest.mark.fleet

GROUP = "logins"
PASSWORD = "sixteen-characters"
WITHIN = 40
"""Seconds for a whole failover and the new node, on a machine with a lot to do."""


@pytest.fixture(scope="module")
def described(cloud: Cloud) -> Iterator[Callable[[], dict[str, Any]]]:
    """What DescribeReplicationGroups says of a group with one replica."""
    elasticache = cloud.client("elasticache")
    elasticache.create_user(
        UserId="logins", UserName="app", Engine="valkey", Passwords=[PASSWORD], AccessString="on ~* +@all"
    )
    elasticache.create_user_group(UserGroupId="logins", Engine="valkey", UserIds=["logins"])
    elasticache.create_replication_group(
        ReplicationGroupId=GROUP, ReplicationGroupDescription="x", Engine="valkey", NumCacheClusters=2,
        CacheNodeType="cache.t4g.micro", UserGroupIds=["logins"], TransitEncryptionEnabled=True,
        AutomaticFailoverEnabled=True,
    )  # fmt: skip

    def group() -> dict[str, Any]:
        found: dict[str, Any] = elasticache.describe_replication_groups(ReplicationGroupId=GROUP)["ReplicationGroups"][
            0
        ]
        return found

    yield group
    elasticache.delete_replication_group(ReplicationGroupId=GROUP)


def roles(group: dict[str, Any]) -> dict[str, str]:
    members = group["NodeGroups"][0]["NodeGroupMembers"]
    return {member["CurrentRole"]: member["CacheClusterId"] for member in members}


def at(endpoint: dict[str, Any]) -> Any:
    return valkey.Valkey(
        endpoint["Address"], endpoint["Port"], username="app", password=PASSWORD, socket_timeout=1,
        socket_connect_timeout=1, decode_responses=True,
    )  # fmt: skip


def takes_writes(endpoint: dict[str, Any], value: str) -> bool:
    try:
        return bool(at(endpoint).set("probe", value))
    except valkey.exceptions.ValkeyError:
        return False


def kill(cloud: Cloud, node: str) -> None:
    cloud.kill(f"elasticache-{node}")


def freeze(cloud: Cloud, node: str) -> None:
    process = cloud.process(f"elasticache-{node}")
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)


def fail_over(cloud: Cloud, node: str) -> None:
    cloud.client("elasticache").test_failover(ReplicationGroupId=GROUP, NodeGroupId="0001")


@pytest.mark.parametrize("strike", [kill, freeze, fail_over], ids=["killed", "frozen", "TestFailover"])
def test_a_replica_takes_over_and_the_node_in_the_failed_ones_place_follows_it(
    cloud: Cloud, described: Callable[[], dict[str, Any]], strike: Callable[[Cloud, str], None], tell: Any
) -> None:
    wait_for(lambda: described()["Status"] == "available")
    before, shard = roles(described()), described()["NodeGroups"][0]
    endpoint = shard["PrimaryEndpoint"]
    reads = {member["CacheClusterId"]: member["ReadEndpoint"] for member in shard["NodeGroupMembers"]}
    with at(endpoint).client() as writer:  # WAIT is about the writes of its own connection
        assert writer.set("login", strike.__name__)
        wait_for(lambda: writer.wait(1, 1000) == 1)
    heir = f"elasticache-{before['replica']}"
    promotions, start = len(cloud.happened("promoted", heir)), time.monotonic()
    strike(cloud, before["primary"])
    wait_for(lambda: len(cloud.happened("promoted", heir)) > promotions, WITHIN)
    wait_for(lambda: takes_writes(endpoint, "after"), WITHIN)
    tell(f"sessions primary, {strike.__name__}: writes are taken again after {time.monotonic() - start:.1f} s (local)")
    assert at(endpoint).get("login") == strike.__name__
    wait_for(lambda: described()["Status"] == "available", WITHIN)
    after = roles(described())
    assert after == {"primary": before["replica"], "replica": before["primary"]}
    assert described()["NodeGroups"][0]["PrimaryEndpoint"] == endpoint
    assert at(reads[after["replica"]]).get("login") == strike.__name__
    assert not takes_writes(reads[after["replica"]], "a second primary")
    assert at(endpoint).get("probe") == "after"


def test_a_node_without_a_replica_starts_cold(cloud: Cloud) -> None:
    elasticache = cloud.client("elasticache")
    elasticache.create_replication_group(
        ReplicationGroupId="alone", ReplicationGroupDescription="x", Engine="valkey", NumCacheClusters=1,
        CacheNodeType="cache.t4g.micro", UserGroupIds=["logins"], TransitEncryptionEnabled=True,
    )  # fmt: skip

    def group() -> dict[str, Any]:
        found: dict[str, Any] = elasticache.describe_replication_groups(ReplicationGroupId="alone")
        return dict(found["ReplicationGroups"][0])

    wait_for(lambda: group()["Status"] == "available")
    endpoint = group()["NodeGroups"][0]["PrimaryEndpoint"]
    assert at(endpoint).set("entry", "1")
    cloud.kill("elasticache-alone-001")
    wait_for(lambda: takes_writes(endpoint, "after"), WITHIN)
    assert at(endpoint).get("entry") is None
    elasticache.delete_replication_group(ReplicationGroupId="alone")

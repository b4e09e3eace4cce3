"""The session store and the cache: two groups that differ where they must."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.infra.recorder import Resources, revealed

Made = Callable[..., Resources]


@pytest.mark.parametrize(("store", "policy"), [("sessions", "noeviction"), ("cache", "allkeys-lru")])
def test_what_happens_when_memory_is_full(made: Made, store: str, policy: str) -> None:
    parameters = made("prod").one("aws:elasticache/parameterGroup:ParameterGroup", f"{store}-parameters").inputs
    assert parameters["parameters"] == [{"name": "maxmemory-policy", "value": policy}]
    assert parameters["family"] == "valkey9"
    group = made("prod").one("ReplicationGroup", f"{store}-group").inputs
    assert group["parameterGroupName"] == parameters["name"] == f"goldfleet-prod-{store}-valkey9"


def test_the_stores_share_nothing(made: Made) -> None:
    sessions, cache = (made("prod").one("ReplicationGroup", f"{store}-group").inputs for store in ("sessions", "cache"))
    for key in ("securityGroupIds", "subnetGroupName", "userGroupIds", "parameterGroupName", "replicationGroupId"):
        assert sessions[key] != cache[key]


def test_a_store_without_replicas_cannot_fail_over(made: Made) -> None:
    group = made("dev").one("ReplicationGroup", "cache-group").inputs
    assert (group["numCacheClusters"], group["automaticFailoverEnabled"], group["multiAzEnabled"]) == (1, False, False)


@pytest.mark.parametrize("store", ["sessions", "cache"])
def test_only_the_holders_of_the_client_group_reach_a_store(made: Made, store: str) -> None:
    resources = made("dev")
    client, server = f"{store}-access-client-id", f"{store}-access-server-id"
    group = resources.one("ReplicationGroup", f"{store}-group").inputs
    assert group["securityGroupIds"] == [server]
    rules = [one.inputs for one in resources.of("SecurityGroupIngressRule") if one.inputs["securityGroupId"] == server]
    assert [(rule["referencedSecurityGroupId"], rule["fromPort"], rule["toPort"]) for rule in rules] == [
        (client, 6379, 6379)
    ]
    assert client in resources.one("LaunchTemplate").inputs["vpcSecurityGroupIds"]


def test_the_user_has_the_password_that_the_secret_holds(made: Made) -> None:
    resources = made("dev")
    user = resources.one("aws:elasticache/user:User", "sessions-user").inputs
    secret = resources.one("SecretVersion", "sessions-credentials-version").inputs["secretString"]
    assert json.loads(revealed(secret)) == {
        "username": user["userName"],
        "password": "generated",
    }
    assert "+@all -@admin -@dangerous" in user["accessString"]


def test_redis_gets_the_default_user_that_it_demands_without_any_right(made: Made) -> None:
    resources = made("dev", {"cache.engine": "redis", "cache.engine_version": "7.1"})
    default = resources.one("aws:elasticache/user:User", "cache-default-user").inputs
    assert default["accessString"] == "off ~* -@all"
    assert len(resources.one("UserGroup", "cache-users").inputs["userIds"]) == 2
    assert len(resources.one("UserGroup", "sessions-users").inputs["userIds"]) == 1

"""Databases and replication groups, end to end: AWS's calls in; SQL, commands and data out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import valkey

from tests.local.plane.cloud import Cloud, wait_for
from tests.local.plane.sql import PASSWORD, query, until

pytestmark = pytest.mark.fleet


@pytest.fixture(scope="module")
def databases(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """A main and its replica, by identifier, as AWS describes them once they are available."""
    rds = cloud.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="main", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="owner", MasterUserPassword=PASSWORD, DBName="goldfleet", BackupRetentionPeriod=7,
    )  # fmt: skip

    def available() -> dict[str, Any] | None:
        found = {one["DBInstanceIdentifier"]: one for one in rds.describe_db_instances()["DBInstances"]}
        return found if all(one["DBInstanceStatus"] == "available" for one in found.values()) else None

    wait_for(available, 60)
    rds.create_db_instance_read_replica(DBInstanceIdentifier="main-1", SourceDBInstanceIdentifier="main")
    yield wait_for(available, 60)
    for identifier in list(rds.describe_db_instances()["DBInstances"]):
        rds.delete_db_instance(DBInstanceIdentifier=identifier["DBInstanceIdentifier"], SkipFinalSnapshot=True)
    wait_for(lambda: not list(cloud.folder.stores.glob("rds-*")), 60)


async def test_the_master_user_owns_its_database_and_is_no_superuser(databases: dict[str, Any]) -> None:
    main = databases["main"]
    assert await query(main, "SELECT current_setting('is_superuser')") == "off"
    await query(main, "CREATE ROLE app LOGIN PASSWORD 'x'")
    await query(main, "CREATE TABLE facts (n int PRIMARY KEY)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await query(main, "ALTER ROLE owner SUPERUSER")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await query(main, "SELECT 1", password="wrong")


async def test_a_replica_streams_and_refuses_writes(databases: dict[str, Any]) -> None:
    await query(databases["main"], "INSERT INTO facts VALUES (1)")
    await until(databases["main-1"], "SELECT count(*) FROM facts", 1)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await query(databases["main-1"], "INSERT INTO facts VALUES (2)")


@pytest.mark.parametrize("name", ["main", "main-1"])
async def test_a_killed_database_returns_with_its_data(cloud: Cloud, databases: dict[str, Any], name: str) -> None:
    before = await query(databases["main"], "SELECT count(*) FROM facts")
    killed = cloud.kill(f"rds-{name}")
    wait_for(lambda: not killed.alive)
    await until(databases[name], "SELECT count(*) FROM facts", before)
    assert cloud.happened("exited", f"rds-{name}")
    wait_for(lambda: cloud.happened("restarted", f"rds-{name}"))
    await query(databases["main"], f"INSERT INTO facts VALUES ({before + 1})")
    await until(databases["main-1"], "SELECT count(*) FROM facts", before + 1)


async def test_a_new_master_password_takes_effect(cloud: Cloud, databases: dict[str, Any]) -> None:
    cloud.client("rds").modify_db_instance(
        DBInstanceIdentifier="main", MasterUserPassword="another-secret", ApplyImmediately=True
    )
    wait_for(lambda: cloud.happened("changed", "rds-main"))
    assert await query(databases["main"], "SELECT 1", password="another-secret") == 1
    with pytest.raises(asyncpg.InvalidPasswordError):
        await query(databases["main"], "SELECT 1")


async def test_a_replica_lives_on_as_a_main_when_its_main_is_deleted(cloud: Cloud, databases: dict[str, Any]) -> None:
    cloud.client("rds").delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)
    wait_for(lambda: cloud.happened("stopped", "rds-main"))
    assert not (cloud.folder.stores / "rds-main").exists()
    await until(databases["main-1"], "SELECT pg_is_in_recovery()", False)


def test_no_password_is_in_a_command_line_or_in_the_events(cloud: Cloud, databases: dict[str, Any]) -> None:
    texts = [path.read_text() for path in cloud.folder.processes.iterdir()] + [cloud.folder.events.read_text()]
    assert not any("secret'" in text for text in texts)


@pytest.fixture(scope="module")
def sessions(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """The node group of a replication group with one replica."""
    elasticache = cloud.client("elasticache")
    elasticache.create_cache_parameter_group(
        CacheParameterGroupName="sessions", CacheParameterGroupFamily="valkey8", Description="x"
    )
    elasticache.modify_cache_parameter_group(
        CacheParameterGroupName="sessions",
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "noeviction"}],
    )
    elasticache.create_user(
        UserId="app", UserName="app", Engine="valkey", Passwords=["sixteen-characters"], AccessString="on ~* +@all"
    )
    elasticache.create_user_group(UserGroupId="app", Engine="valkey", UserIds=["app"])
    elasticache.create_replication_group(
        ReplicationGroupId="sessions", ReplicationGroupDescription="x", Engine="valkey", EngineVersion="8.2",
        NumCacheClusters=2, CacheNodeType="cache.t4g.micro", CacheParameterGroupName="sessions", UserGroupIds=["app"],
        TransitEncryptionEnabled=True, AutomaticFailoverEnabled=True,
    )  # fmt: skip

    def available() -> dict[str, Any] | None:
        group = elasticache.describe_replication_groups(ReplicationGroupId="sessions")["ReplicationGroups"][0]
        return dict(group["NodeGroups"][0]) if group["Status"] == "available" else None

    group = wait_for(available, 30)
    wait_for(lambda: client(group["PrimaryEndpoint"]).wait(1, 1000) == 1)
    yield group
    elasticache.delete_replication_group(ReplicationGroupId="sessions")
    wait_for(lambda: not list(cloud.folder.stores.glob("elasticache-sessions-*")), 30)


def client(endpoint: dict[str, Any], password: str = "sixteen-characters") -> Any:
    return valkey.Valkey(
        endpoint["Address"],
        endpoint["Port"],
        username="app",
        password=password,
        socket_timeout=2,
        decode_responses=True,
    )


def test_the_group_has_its_users_and_parameters(sessions: dict[str, Any]) -> None:
    primary = client(sessions["PrimaryEndpoint"])
    assert primary.info("memory")["maxmemory_policy"] == "noeviction"
    primary.set("a", "1")
    assert primary.wait(1, 2000) == 1
    assert client(sessions["NodeGroupMembers"][1]["ReadEndpoint"]).get("a") == "1"
    assert client(sessions["NodeGroupMembers"][0]["ReadEndpoint"]).get("a") == "1"


def test_what_elasticache_refuses_is_refused(sessions: dict[str, Any]) -> None:
    with pytest.raises(valkey.exceptions.NoPermissionError):
        client(sessions["PrimaryEndpoint"]).config_get("*")
    with pytest.raises(valkey.exceptions.AuthenticationError):
        client(sessions["PrimaryEndpoint"], password="wrong").ping()
    address = sessions["PrimaryEndpoint"]
    with pytest.raises(valkey.exceptions.AuthenticationError):
        valkey.Valkey(address["Address"], address["Port"]).ping()


def test_a_new_password_is_taken_without_a_restart(cloud: Cloud, sessions: dict[str, Any]) -> None:
    before = cloud.process("elasticache-sessions-001")
    cloud.client("elasticache").modify_user(UserId="app", Passwords=["sixteen-and-more-letters"])
    wait_for(lambda: cloud.happened("changed", "elasticache-sessions-001"))
    assert len(cloud.happened("changed", "elasticache-sessions-001")) == 1
    assert client(sessions["PrimaryEndpoint"], "sixteen-and-more-letters").ping()
    assert cloud.process("elasticache-sessions-001") == before

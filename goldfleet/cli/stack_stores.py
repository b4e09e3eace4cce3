"""The stores of a stack, as AWS tells them: database instances and replication groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from goldfleet.aws_session import AwsSession
from goldfleet.contract.clone import UserData
from goldfleet.contract.names import Names


@dataclass(frozen=True)
class Store:
    """A database instance or a replication group.

    Args:
        role: `main`, `replica`, `sessions`, `cache`; `unused`, a database that clones are not told of.
        status: in AWS's words; `available` is good.
        address: `host:port`, empty while there is none.
    """

    id: str
    role: str
    status: str
    address: str


def databases(session: AwsSession, names: Names, user_data: UserData | None) -> list[Store]:
    """The stack's database instances.

    Args:
        session: the stack's account.
        names: names of the stack.
        user_data: what clones are told; None: nothing yet.
    """
    found = session.client("rds").describe_db_instances()["DBInstances"]
    mains = {str(shard.main) for shard in user_data.shards} if user_data else None
    return [
        Store(
            id=database["DBInstanceIdentifier"],
            role=database_role(database, mains),
            status=database["DBInstanceStatus"],
            address=_address(database.get("Endpoint")),
        )
        for database in found
        if database["DBInstanceIdentifier"].startswith(f"{names.prefix}-")
    ]


def database_role(database: Mapping[str, Any], mains: Collection[str] | None) -> str:
    """What a database instance is for.

    Args:
        database: as RDS describes it.
        mains: addresses that clones are told to write to; None: nobody is told anything yet.
    """
    if database.get("ReadReplicaSourceDBInstanceIdentifier"):
        return "replica"
    return "main" if mains is None or _address(database.get("Endpoint")) in mains else "unused"


def replication_groups(session: AwsSession, names: Names) -> list[Store]:
    """The stack's replication groups, by the address of their primary."""
    found = session.client("elasticache").describe_replication_groups()["ReplicationGroups"]
    return [
        Store(
            id=group["ReplicationGroupId"],
            role=group["ReplicationGroupId"].removeprefix(f"{names.prefix}-"),
            status=group["Status"],
            address=_address(next((node.get("PrimaryEndpoint") for node in group.get("NodeGroups", [])), None)),
        )
        for group in found
        if group["ReplicationGroupId"].startswith(f"{names.prefix}-")
    ]


def _address(endpoint: Mapping[str, Any] | None) -> str:
    return f"{endpoint['Address']}:{endpoint['Port']}" if endpoint and endpoint.get("Address") else ""

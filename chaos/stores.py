"""The servers of the stack's stores: AWS says who serves what, the run folder which process does it here."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

import asyncpg
import valkey

from chaos.fleet import Fleet
from goldfleet.errors import LocalCloudError
from local.processes import Process, tree

ANSWER = 5.0
PRIMARY, MAIN, REPLICA = "primary", "main", "replica"
_TAKE_ALL_KEYS = """
local cursor = '0'
repeat
    local found = redis.call('SCAN', cursor, 'COUNT', 1000)
    cursor = found[1]
    for _, key in ipairs(found[2]) do redis.call('UNLINK', key) end
until cursor == '0'
return redis.call('DBSIZE')
"""


@dataclass(frozen=True)
class Server:
    """A database instance, or a node of a replication group.

    Args:
        id: of the instance or cache cluster.
        process: name of its process.
        host, port: where it answers under its own name.
    """

    id: str
    process: str
    host: str
    port: int


def nodes(fleet: Fleet, group: str) -> dict[str, list[Server]]:
    """The nodes of a replication group by role, `primary` and `replica`.

    Args:
        fleet: whose.
        group: `sessions` or `cache`.
    """
    found: dict[str, list[Server]] = {PRIMARY: [], REPLICA: []}
    for member in _node_group(fleet, group)["NodeGroupMembers"]:
        name, endpoint = member["CacheClusterId"], member["ReadEndpoint"]
        server = Server(name, f"elasticache-{name}", endpoint["Address"], endpoint["Port"])
        found[member["CurrentRole"]].append(server)
    return found


def primary_endpoint(fleet: Fleet, group: str) -> str:
    """The address that the app knows of a replication group."""
    return str(_node_group(fleet, group)["PrimaryEndpoint"]["Address"])


def databases(fleet: Fleet, role: str) -> list[Server]:
    """The database servers that are a `main` or a `replica`."""
    found = []
    for store in fleet.view().stores:
        if store.role == role and store.address:
            host, _, port = store.address.rpartition(":")
            found.append(Server(store.id, f"rds-{store.id}", host, int(port)))
    return found


def available(fleet: Fleet) -> bool:
    """Whether AWS calls every store available."""
    return all(store.status == "available" for store in fleet.view().stores)


def restarted(fleet: Fleet, before: Process) -> bool:
    """Whether another process serves in this one's place, and every store is available."""
    now = fleet.processes().get(before.name)
    return now is not None and now.pid != before.pid and available(fleet)


def freeze(process: Process) -> None:
    """Stops a server and all its children in the middle of what they do; connections stay open."""
    _signal_all(process, signal.SIGSTOP)


def thaw(process: Process) -> None:
    """Lets it go on; fine if it has ended meanwhile."""
    _signal_all(process, signal.SIGCONT)


def take_all_keys(fleet: Fleet, group: str) -> int:
    """Empties a replication group's primary in one step, as its own user; returns how many keys were left.

    Raises:
        LocalCloudError: it does not answer.
    """
    store = f"{fleet.names.prefix}-{group}"
    user = next(user for user in fleet.control.passwords()["elasticache"][store] if user["passwords"])
    port = nodes(fleet, group)[PRIMARY][0].port
    client = valkey.Valkey(
        primary_endpoint(fleet, group),
        port,
        username=user["username"],
        password=user["passwords"][0],
        socket_timeout=ANSWER,
        socket_connect_timeout=ANSWER,
    )
    try:
        with client:
            return int(client.eval(_TAKE_ALL_KEYS, 0))  # type: ignore[arg-type]
    except valkey.exceptions.ValkeyError as error:
        raise LocalCloudError(store, f"does not answer ({error})", "see `goldfleet status`") from error


async def tell(fleet: Fleet, server: Server, *statements: str) -> Any:
    """Tells a database server something as the superuser that AWS keeps to itself; the value of the last statement.

    Raises:
        LocalCloudError: it does not answer.
    """
    passfile = str(fleet.folder.stores / server.process / "passfile")
    who = {"host": server.host, "port": server.port, "user": "rdsadmin", "database": "postgres", "passfile": passfile}
    try:
        database = await asyncpg.connect(**who, timeout=ANSWER)
        try:
            for statement in statements:
                value = await database.fetchval(statement, timeout=ANSWER)
        finally:
            await database.close(timeout=ANSWER)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise LocalCloudError(server.id, f"does not answer ({error})", "see `goldfleet status`") from error
    return value


def _node_group(fleet: Fleet, group: str) -> dict[str, Any]:
    name = f"{fleet.names.prefix}-{group}"
    answer = fleet.session.client("elasticache").describe_replication_groups(ReplicationGroupId=name)
    found: dict[str, Any] = answer["ReplicationGroups"][0]["NodeGroups"][0]
    return found


def _signal_all(process: Process, how: signal.Signals) -> None:
    if not process.alive:
        return
    for pid in tree(process.pid):
        try:
            os.kill(pid, how)
        except ProcessLookupError:
            continue

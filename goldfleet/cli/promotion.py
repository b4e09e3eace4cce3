"""Promotion of a read replica: whether it may be, and what the settings say afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from goldfleet.aws_session import AwsSession
from goldfleet.cli.settings_file import SettingsFile
from goldfleet.contract.names import Names
from goldfleet.errors import SettingsError
from infra.settings.database import Database
from infra.shard_servers import server_id, servers

LOST = frozenset({"failed", "storage-full", "inaccessible-encryption-credentials", "incompatible-network"})
"""Statuses of a main that does not come back by itself. Source: AWS, "Viewing Amazon RDS DB instance status"."""
_LAG_WINDOW = timedelta(minutes=30)


@dataclass(frozen=True)
class Promotion:
    """A replica in its main's place.

    Args:
        shard: which, from 0.
        replica: its label, for example `replica-1`.
        main: label of the main that it replaces.
    """

    shard: int
    replica: str
    main: str


def plan(instance: str, names: Names, settings: Database) -> Promotion:
    """Which replica an instance is.

    Raises:
        SettingsError: it is no replica of a main in use.
    """
    known: dict[str, Promotion] = {}
    for shard in range(settings.shards):
        labels = servers(shard, settings)
        known |= {server_id(names, shard, label): Promotion(shard, label, labels.main) for label in labels.replicas}
    if instance not in known:
        there = ", ".join(sorted(known)) or "there is none"
        raise SettingsError("promote", f"'{instance}' is no replica of a main in use", f"name one: {there}")
    return known[instance]


def require_lost(session: AwsSession, instance: str) -> None:
    """Refuses while RDS still serves the main, or will again by itself.

    Raises:
        SettingsError: its status says so; nothing was changed.
    """
    status = _describe(session, instance).get("DBInstanceStatus", "")
    if status not in LOST:
        raise SettingsError(
            "promote",
            f"the main {instance} is {status or 'not there'}: what it has and the replica has not would be lost",
            "wait for its failover; if it is lost all the same, say --main-is-lost",
        )


def complete_until(session: AwsSession, instance: str) -> datetime | None:
    """The moment up to which a replica has what its main had committed, by CloudWatch; None: it was not measured.

    `ReplicaLag` goes on growing while the main is gone, so it is the difference that tells.
    Source: AWS, "Monitoring read replication".
    """
    now = datetime.now(UTC)
    points: Sequence[Mapping[str, Any]] = session.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/RDS",
        MetricName="ReplicaLag",
        Dimensions=[{"Name": "DBInstanceIdentifier", "Value": instance}],
        StartTime=now - _LAG_WINDOW,
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    known = [point["Timestamp"] - timedelta(seconds=point["Maximum"]) for point in points if point["Maximum"] >= 0]
    return max(known, default=None)


def write(file: SettingsFile, promotion: Promotion) -> None:
    """Makes the settings say it; the main from before stays declared, so that no `up` deletes it."""
    raw = file.raw().get("database", {})
    shard = str(promotion.shard)
    lost = dict(raw.get("lost", {}))
    lost[shard] = [*lost.get(shard, []), promotion.main]
    file.change("database", "lost", lost)
    file.change("database", "promoted", {**raw.get("promoted", {}), shard: promotion.replica})


def _describe(session: AwsSession, instance: str) -> Mapping[str, Any]:
    try:
        found = session.client("rds").describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"DBInstanceNotFound", "DBInstanceNotFoundFault"}:
            return {}
        raise
    return dict(found[0])

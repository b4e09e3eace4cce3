"""What is watched: one row per cause that a person can act on, the source of alarms and dashboard alike.

Every row names the runbook that says what to do, a file in `docs/runbooks/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi

from infra.settings.alarms import Alarms as AlarmsSettings

GIB = 1024**3
MEMORY_PERCENT = 75
STORAGE_SHARE = 0.1

Comparison = Literal["GreaterThanThreshold", "LessThanThreshold"]


@dataclass(frozen=True)
class AlarmRow:
    """One metric and the value from which on it is somebody's business.

    Args:
        label: what is watched; part of the alarm's name.
        cause: what the alarm means, a sentence for a person.
        runbook: name of the file in `docs/runbooks/`, without its ending.
        namespace, metric, dimensions, statistic: as CloudWatch knows it; a percentile is a statistic like `p99`.
        threshold: the value, in the metric's own unit.
        comparison: on which side of the threshold the alarm is.
        minutes: how many minutes in a row.
        missing: what no data means.
    """

    label: str
    cause: str
    runbook: str
    namespace: str
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str
    threshold: float
    comparison: Comparison = "GreaterThanThreshold"
    minutes: int = 5
    missing: Literal["notBreaching", "breaching", "missing"] = "notBreaching"


@dataclass(frozen=True)
class Watched:
    """What there is to watch.

    Args:
        balancer, targets: CloudWatch's names of the load balancer and its target group.
        mains, replicas: DB instance ids.
        sessions, cache: ids of the two stores' nodes.
        storage_gib: storage of a database server, in GiB.
    """

    balancer: pulumi.Input[str]
    targets: pulumi.Input[str]
    mains: Sequence[str]
    replicas: Sequence[str]
    sessions: Sequence[str]
    cache: Sequence[str]
    storage_gib: int


def alarm_rows(watched: Watched, settings: AlarmsSettings) -> list[AlarmRow]:
    """The rows of a stack."""
    return [
        *_balancer_rows(watched, settings),
        *_database_rows(watched, settings),
        *_session_rows(watched),
        *_cache_rows(watched, settings),
    ]


def _balancer_rows(watched: Watched, settings: AlarmsSettings) -> list[AlarmRow]:
    namespace = "AWS/ApplicationELB"
    balancer = {"LoadBalancer": watched.balancer}
    targets = {**balancer, "TargetGroup": watched.targets}
    return [
        AlarmRow(
            "app-errors",
            "Clones answer with 5xx",
            "errors",
            namespace,
            "HTTPCode_Target_5XX_Count",
            targets,
            "Sum",
            10,
        ),
        AlarmRow(
            "balancer-errors",
            "The balancer itself answers with 5xx: no clone could be asked",
            "errors",
            namespace,
            "HTTPCode_ELB_5XX_Count",
            balancer,
            "Sum",
            10,
        ),
        AlarmRow(
            "unhealthy-clones",
            "A clone fails its health check and is not being replaced",
            "unhealthy-clones",
            namespace,
            "UnHealthyHostCount",
            targets,
            "Minimum",
            0,
        ),
        AlarmRow(
            "slow-answers",
            "The slowest 1 % of answers take too long",
            "slow-answers",
            namespace,
            "TargetResponseTime",
            targets,
            "p99",
            settings.p99_seconds,
        ),
    ]


def _database_rows(watched: Watched, settings: AlarmsSettings) -> list[AlarmRow]:
    lag = [
        AlarmRow(
            f"lag-{replica}",
            f"Replica {replica} lags behind its main; reads go to the main",
            "replica-lag",
            "AWS/RDS",
            "ReplicaLag",
            {"DBInstanceIdentifier": replica},
            "Maximum",
            settings.replica_lag_seconds,
        )
        for replica in watched.replicas
    ]
    storage = [
        AlarmRow(
            f"storage-{server}",
            f"Database server {server} runs out of storage",
            "free-storage",
            "AWS/RDS",
            "FreeStorageSpace",
            {"DBInstanceIdentifier": server},
            "Minimum",
            watched.storage_gib * GIB * STORAGE_SHARE,
            "LessThanThreshold",
        )
        for server in (*watched.mains, *watched.replicas)
    ]
    return [*lag, *storage]


def _session_rows(watched: Watched) -> list[AlarmRow]:
    memory = [
        AlarmRow(
            f"memory-{node}",
            f"Session store {node} fills up; when it is full nobody can log in",
            "session-store",
            "AWS/ElastiCache",
            "DatabaseMemoryUsagePercentage",
            {"CacheClusterId": node},
            "Maximum",
            MEMORY_PERCENT,
        )
        for node in watched.sessions
    ]
    evictions = [
        AlarmRow(
            f"evictions-{node}",
            f"Session store {node} evicts: people lose their logins",
            "session-store",
            "AWS/ElastiCache",
            "Evictions",
            {"CacheClusterId": node},
            "Sum",
            0,
            minutes=1,
        )
        for node in watched.sessions
    ]
    return [*memory, *evictions]


def _cache_rows(watched: Watched, settings: AlarmsSettings) -> list[AlarmRow]:
    return [
        AlarmRow(
            f"hits-{node}",
            f"Cache {node} answers too few look-ups; the database carries the rest",
            "cache-hits",
            "AWS/ElastiCache",
            "CacheHitRate",
            {"CacheClusterId": node},
            "Average",
            settings.hit_ratio_percent,
            "LessThanThreshold",
            minutes=15,
        )
        for node in watched.cache[:1]
    ]

"""Rules of the session store, the cache and the database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from goldfleet.contract.stores import DATABASE_POOL
from goldfleet.errors import SettingsError
from infra.database_classes import CLASSES, max_connections
from infra.engine_versions import POSTGRESQL_VERSIONS, versions
from infra.replacement import most_clones
from infra.settings.replication_group import ReplicationGroup
from infra.settings.settings import Settings

WEEKLY_WINDOW = r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d"
DAILY_WINDOW = r"([01]\d|2[0-3]):[0-5]\d"
RESERVED_DATABASES = frozenset({"postgres", "template0", "template1", "rdsadmin"})
POSTGRESQL_PORT = 5432
PROMOTED = r"replica(-[1-9]\d?)+"
SERVER = rf"main|{PROMOTED}"


def _groups(settings: Settings) -> tuple[tuple[str, ReplicationGroup], ...]:
    return (("sessions", settings.sessions), ("cache", settings.cache))


def engine_versions_are_known(settings: Settings) -> Iterator[SettingsError]:
    for name, group in _groups(settings):
        if group.engine_version not in versions(group.engine):
            yield SettingsError(
                f"{name}.engine_version",
                f"{group.engine} {group.engine_version} is not in the table of versions",
                f"take one of {', '.join(versions(group.engine))}",
            )


def node_types_are_named(settings: Settings) -> Iterator[SettingsError]:
    for name, group in _groups(settings):
        if not re.fullmatch(r"cache\.[a-z0-9]+\.[a-z0-9]+", group.node_type):
            yield SettingsError(
                f"{name}.node_type", f"'{group.node_type}' is not a node type", "write it like cache.t4g.small"
            )


def production_keeps_sessions(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.sessions.replicas < 1:
        yield SettingsError(
            "sessions.replicas",
            "in production the session store has a replica in another zone, or a failure logs everybody out",
            "set it to 1 or more",
        )


def production_snapshots_sessions(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.sessions.snapshot_days < 1:
        yield SettingsError(
            "sessions.snapshot_days", "in production the session store has snapshots", "set it to 1 or more"
        )


def windows_are_readable(settings: Settings) -> Iterator[SettingsError]:
    weekly = {name: group.maintenance_window for name, group in _groups(settings)}
    for name, window in {**weekly, "database": settings.database.maintenance_window}.items():
        if not re.fullmatch(f"{WEEKLY_WINDOW}-{WEEKLY_WINDOW}", window):
            yield SettingsError(
                f"{name}.maintenance_window",
                f"'{window}' is not a weekly window",
                "write it like sun:04:00-sun:05:00",
            )
    if not re.fullmatch(f"{DAILY_WINDOW}-{DAILY_WINDOW}", settings.database.backup_window):
        yield SettingsError(
            "database.backup_window",
            f"'{settings.database.backup_window}' is not a daily window",
            "write it like 02:00-03:00",
        )


def postgresql_version_is_known(settings: Settings) -> Iterator[SettingsError]:
    if settings.database.engine_version not in POSTGRESQL_VERSIONS:
        yield SettingsError(
            "database.engine_version",
            f"'{settings.database.engine_version}' is not a major version that the table knows",
            f"take one of {', '.join(POSTGRESQL_VERSIONS)}",
        )


def database_class_is_known(settings: Settings) -> Iterator[SettingsError]:
    if settings.database.instance_class not in CLASSES:
        yield SettingsError(
            "database.instance_class",
            f"'{settings.database.instance_class}' is not in the table of classes",
            f"take one of {', '.join(CLASSES)}, or add it to infra/database_classes.py",
        )


def database_name_is_allowed(settings: Settings) -> Iterator[SettingsError]:
    name = settings.database.name
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) or name in RESERVED_DATABASES:
        yield SettingsError(
            "database.name", f"RDS refuses '{name}'", "take lower-case letters, digits and underscores, a letter first"
        )


def database_port_is_not_the_default(settings: Settings) -> Iterator[SettingsError]:
    if settings.database.port == POSTGRESQL_PORT:
        yield SettingsError(
            "database.port", f"{POSTGRESQL_PORT} is what scanners try first (control RDS.23)", "take another port"
        )


def promoted_servers_are_labelled(settings: Settings) -> Iterator[SettingsError]:
    database = settings.database
    labels = {"promoted": {shard: [label] for shard, label in database.promoted.items()}, "lost": database.lost}
    for key, by_shard in labels.items():
        for shard, named in by_shard.items():
            if not re.fullmatch(r"0|[1-9]\d*", shard) or int(shard) >= database.shards:
                yield SettingsError(
                    f"database.{key}", f"there is no shard '{shard}'", f"count from 0 to {database.shards - 1}"
                )
            for label in named:
                if not re.fullmatch(SERVER if key == "lost" else PROMOTED, label):
                    yield SettingsError(
                        f"database.{key}", f"'{label}' is not a server's label", "write it like replica-1"
                    )


def replicas_need_backups(settings: Settings) -> Iterator[SettingsError]:
    database = settings.database
    if database.replicas > 0 and database.backup_days < 1:
        yield SettingsError(
            "database.backup_days", "RDS makes read replicas of a server with backups only", "set it to 1 or more"
        )


def storage_grows(settings: Settings) -> Iterator[SettingsError]:
    """RDS for PostgreSQL: the limit must exceed the allocated storage by a tenth (storage autoscaling)."""
    database = settings.database
    if database.max_storage_gib * 10 < database.storage_gib * 11:
        yield SettingsError(
            "database.max_storage_gib",
            f"{database.max_storage_gib} is not a tenth above database.storage_gib, {database.storage_gib}",
            "raise it",
        )


def insights_are_kept_a_known_time(settings: Settings) -> Iterator[SettingsError]:
    days = settings.database.insights_days
    if days not in {7, 731} and (days % 31 or not 31 <= days <= 713):
        yield SettingsError(
            "database.insights_days", f"Performance Insights cannot keep {days} days", "take 7, 731 or a multiple of 31"
        )


def connections_suffice(settings: Settings) -> Iterator[SettingsError]:
    database = settings.database
    if database.instance_class not in CLASSES:
        return
    most = most_clones(settings.fleet.max)
    needed, offered = most * DATABASE_POOL, max_connections(database.instance_class)
    if needed >= offered:
        yield SettingsError(
            "fleet.max",
            f"{most} clones with {DATABASE_POOL} connections each need {needed}, "
            f"a {database.instance_class} takes fewer than {offered}",
            "lower it, or take a larger database.instance_class",
        )


def production_protects_its_data(settings: Settings) -> Iterator[SettingsError]:
    if not settings.production:
        return
    if not settings.database.deletion_protection:
        yield SettingsError(
            "database.deletion_protection",
            "production's mains are protected",
            "set it to true; docs/runbooks/destroy.md says how to take a stack down",
        )
    if not settings.database.multi_az:
        yield SettingsError("database.multi_az", "production's mains have a standby in another zone", "set it to true")


def production_keeps_backups(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.database.backup_days < 7:
        yield SettingsError(
            "database.backup_days", "production keeps a week of backups (control RDS.11)", "set it to 7 or more"
        )


RULES = (
    engine_versions_are_known,
    node_types_are_named,
    production_keeps_sessions,
    production_snapshots_sessions,
    windows_are_readable,
    postgresql_version_is_known,
    database_class_is_known,
    database_name_is_allowed,
    database_port_is_not_the_default,
    promoted_servers_are_labelled,
    replicas_need_backups,
    storage_grows,
    insights_are_kept_a_known_time,
    connections_suffice,
    production_protects_its_data,
    production_keeps_backups,
)

"""Settings of the database."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Component


class Database(Component):
    """RDS for PostgreSQL: mains and their read replicas."""

    shards: int = Field(1, ge=1, le=64, description="Count of mains that users are split over.")
    replicas: int = Field(1, ge=0, le=15, description="Count of read replicas of each main.")
    instance_class: str = Field("db.t4g.medium", description="Instance class of mains and replicas.")
    engine_version: str = Field("17", description="PostgreSQL's major version; minor versions follow by themselves.")
    name: str = Field("app", description="Name of the database on each main.")
    port: int = Field(5433, ge=1150, le=65535, description="TCP port; not PostgreSQL's default 5432.")
    storage_gib: int = Field(20, ge=20, le=65536, description="Storage of each server at first, in GiB.")
    max_storage_gib: int = Field(100, ge=20, le=65536, description="Storage that each server may grow to, in GiB.")
    multi_az: bool = Field(True, description="Whether each main has a standby in another zone that takes over.")
    backup_days: int = Field(7, ge=0, le=35, description="How many days backups are kept; replicas need at least 1.")
    deletion_protection: bool = Field(True, description="Whether AWS and Pulumi refuse to delete a main.")
    insights_days: int = Field(
        7, description="How long Performance Insights keeps its data, in days: 7, 731, or n * 31."
    )
    promoted: dict[str, str] = Field(
        {}, description="Shards whose main is a promoted replica: number and label; written by `goldfleet promote`."
    )
    lost: dict[str, list[str]] = Field(
        {}, description="Servers that were mains before a promotion and are left as they are: shard and labels."
    )
    apply_immediately: bool = Field(
        False, description="Whether changes are made at once instead of in the next maintenance window."
    )
    backup_window: str = Field("02:00-03:00", description="Daily window for backups, UTC, `hh:mm-hh:mm`.")
    maintenance_window: str = Field(
        "sun:03:30-sun:04:30", description="Weekly window for maintenance, UTC, `ddd:hh:mm-ddd:hh:mm`."
    )

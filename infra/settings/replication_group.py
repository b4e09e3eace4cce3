"""Settings that the session store and the cache share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Component


class ReplicationGroup(Component):
    """An ElastiCache replication group: one primary and its replicas."""

    engine: Literal["valkey", "redis"] = Field("valkey", description="The server software.")
    engine_version: str = Field("9.0", description="Major and minor version of the engine, pinned.")
    node_type: str = Field("cache.t4g.small", description="Instance class of each node.")
    replicas: int = Field(
        1, ge=0, le=5, description="Count of replicas beside the primary, each in another zone first."
    )
    snapshot_days: int = Field(7, ge=0, le=35, description="How many days daily snapshots are kept; 0 takes none.")
    port: int = Field(6379, ge=1024, le=65535, description="TCP port.")
    maintenance_window: str = Field(
        "sun:04:00-sun:05:00", description="Weekly window for maintenance, UTC, `ddd:hh:mm-ddd:hh:mm`, an hour or more."
    )


class Sessions(ReplicationGroup):
    """The session store: it never evicts."""


class Cache(ReplicationGroup):
    """The cache: least recently used keys give way."""

    snapshot_days: int = Field(1, ge=0, le=35, description="How many days daily snapshots are kept; 0 takes none.")

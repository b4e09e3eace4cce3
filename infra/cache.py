"""The cache: when it is full, the least recently used keys give way."""

from __future__ import annotations

import pulumi

from infra.replication_group import ReplicationGroup, ReplicationGroupArgs


class Cache(ReplicationGroup):
    """A replication group that evicts."""

    def __init__(self, name: str, args: ReplicationGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name, args, kind="goldfleet:infra:Cache", parameters={"maxmemory-policy": "allkeys-lru"}, opts=opts
        )

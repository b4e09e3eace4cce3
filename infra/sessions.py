"""The session store: it keeps what it was given and refuses new keys when it is full, rather than log people out."""

from __future__ import annotations

import pulumi

from infra.replication_group import ReplicationGroup, ReplicationGroupArgs


class Sessions(ReplicationGroup):
    """A replication group that never evicts."""

    def __init__(self, name: str, args: ReplicationGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            name, args, kind="goldfleet:infra:Sessions", parameters={"maxmemory-policy": "noeviction"}, opts=opts
        )

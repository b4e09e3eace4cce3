"""What AWS publishes about the steps that are tried here: to stand beside the figures of this machine.

Its words are shortened, its figures are not changed. Where AWS names none, that is said.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """What AWS says of a step.

    Args:
        says: the figure, or that there is none.
        page: title of the page in AWS's documentation.
    """

    says: str
    page: str

    def __str__(self) -> str:
        return f"{self.says} ({self.page})"


SESSIONS_FAILOVER = Published(
    "writes resume typically in just a few seconds",
    "Minimizing downtime in ElastiCache by using Multi-AZ with Valkey and Redis OSS",
)
CACHE_NODE_LOST = Published(
    "no time; without a replica the node is replaced and starts cold",
    "Minimizing downtime in ElastiCache by using Multi-AZ with Valkey and Redis OSS",
)
DATABASE_FAILOVER = Published("typically 60-120 s", "Failing over a Multi-AZ DB instance for Amazon RDS")
REPLICA_PROMOTION = Published(
    "several minutes or longer, by the size of the replica",
    "Promoting a read replica to be a standalone DB instance",
)
REPLICA_LOST = Published(
    "no time; its state is `error`, and `terminated` after 30 days without replication", "Monitoring read replication"
)
HEALTH_CHECK = Published(
    "an interval of 5-300 s (default 30), out after 2-10 failures in a row (default 2)",
    "Health checks for Application Load Balancer target groups",
)
INSTANCE_REPLACED = Published(
    "no time; an unhealthy instance is replaced, after a grace period for a new one",
    "Health checks for instances in an Auto Scaling group",
)
BOOT = Published("a few minutes until an instance is ready", "Connect to your Linux instance from Windows with OpenSSH")
INSTANCE_REFRESH = Published(
    "no time; each step waits for the warm-up, a checkpoint one hour unless told otherwise",
    "Understand the default values for an instance refresh",
)
DEREGISTRATION = Published(
    "300 s unless told otherwise (0-3600 s)", "Edit target group attributes for your Application Load Balancer"
)
ROLLBACK = Published(
    "a refresh that fails goes back by itself with auto rollback; it fails after an hour without a healthy instance",
    "Undo changes with a manual or auto rollback",
)

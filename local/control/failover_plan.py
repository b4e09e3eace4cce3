"""Who becomes the primary when the primary of a replication group fails. Pure.

AWS, "Minimizing downtime in ElastiCache by using Multi-AZ": the replica with the least replication lag.
"""

from __future__ import annotations

from collections.abc import Mapping

from local.control.cloud import NodeReport


def heir(replicas: Mapping[str, NodeReport]) -> str | None:
    """The replica that has most of the primary's data, or None if none is available.

    Args:
        replicas: by cache cluster id; of equals the first by name is taken.
    """
    able = {name: report.offset for name, report in replicas.items() if report.state == "available"}
    return min(able, key=lambda name: (-able[name], name)) if able else None

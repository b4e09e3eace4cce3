"""When a node of a replication group may start, change or go: ElastiCache decides, and never are there two primaries.

Pure. A node that failed is not started again: a new one, with a CacheNodeCreateTime of its own, takes its place.
"""

from __future__ import annotations

from local.plane.running import Phase, Running, Unit
from local.plane.wanted import StoreNode, is_promoted


def is_replaced(unit: Unit, node: StoreNode) -> bool:
    """True if another node than the one that runs or ran is to be there."""
    before = unit.spec
    return not unit.started or (isinstance(before, StoreNode) and before.created != node.created)


def may_start(node: StoreNode, running: Running) -> bool:
    """A replica copies its primary."""
    return node.primary is None or has_primary(node.group, running, Phase.RUNNING)


def may_change(before: StoreNode, node: StoreNode, running: Running) -> bool:
    """A replica takes over when the old primary is gone; no primary becomes a replica: a new node does."""
    if is_promoted(before, node):
        return not has_primary(node.group, running, Phase.RUNNING, Phase.BUSY)
    return not is_promoted(node, before)


def has_primary(group: str, running: Running, *phases: Phase) -> bool:
    """True if a node in one of these phases takes the group's writes."""
    nodes = [unit.spec for unit in running.units.values() if unit.phase in phases and isinstance(unit.spec, StoreNode)]
    return any(node.group == group and node.primary is None for node in nodes)

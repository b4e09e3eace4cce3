"""What ElastiCache does when a node fails: a replica takes over from a primary, a new node fills the gap.

AWS, "Minimizing downtime in ElastiCache by using Multi-AZ", "Mitigating failures", "TestFailover", "Promoting a read
replica to primary". The data plane says which node failed; a node in its place has a new CacheNodeCreateTime.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from moto.core.responses import ActionResult
from moto.elasticache.exceptions import (
    CacheClusterNotFound,
    ElastiCacheException,
    InvalidParameterCombinationException,
)
from moto.elasticache.models import elasticache_backends
from moto.elasticache.responses import ElastiCacheResponse

from local.control.failover_plan import heir
from local.control.services.elasticache_events import GROUP, NODE, StoreEvents
from local.control.services.elasticache_group import NODE_GROUP_ID, NODE_ID, StoreGroup
from local.control.services.elasticache_groups import StoreGroups

TESTS_A_DAY = 15
_DAY = timedelta(hours=24)


class Failovers(StoreGroups, StoreEvents):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._tests: list[datetime] = []

    def settle(self) -> bool:
        """Does what is due in all groups; True if that changed who is the primary or replaced a node."""
        groups = [group for group in self.replication_groups.values() if isinstance(group, StoreGroup)]
        return any([self._settle(group) for group in groups if group.cluster_mode != "enabled"])  # noqa: C419  all of them

    def test_failover(self, group_id: str, node_group: str) -> StoreGroup:
        """TestFailover."""
        group = self.store(group_id)
        if node_group != NODE_GROUP_ID:
            raise ElastiCacheException("NodeGroupNotFoundFault", f"Node group {node_group} not found.")
        if group.automatic_failover != "enabled":
            message = f"Automatic failover is not enabled for replication group {group_id}."
            raise ElastiCacheException("TestFailoverNotAvailableFault", message)
        to = heir(group.replicas())
        _check_ready(group, to)
        now = datetime.now(UTC)
        self._tests = [time for time in self._tests if now - time < _DAY]
        if len(self._tests) >= TESTS_A_DAY:
            message = f"Failover was tested {TESTS_A_DAY} times in the last 24 hours."
            raise ElastiCacheException("APICallRateForCustomerExceeded", message)
        self._tests.append(now)
        self.happened(GROUP, group_id, f"Test Failover API called for node group {node_group}")
        self._fail_over(group, to or "")
        return group

    def promote(self, group: StoreGroup, member: str) -> None:
        """ModifyReplicationGroup with PrimaryClusterId: that replica becomes the primary."""
        if member not in group.member_clusters:
            raise CacheClusterNotFound(member)
        if member == group.primary:
            return
        if group.automatic_failover == "enabled":
            message = "A replica cannot be promoted while automatic failover is enabled: disable it first."
            raise InvalidParameterCombinationException(message)
        _check_ready(group, heir({member: group.replicas()[member]}))
        self._fail_over(group, member)

    def _settle(self, group: StoreGroup) -> bool:
        group.note_service()
        failed = group.failed()
        to = heir(group.replicas()) if group.automatic_failover == "enabled" else None
        if group.primary in failed and to is not None:
            failed.remove(group.primary)
            self._fail_over(group, to)
            return self._settle(group) or True
        for member in failed:
            group.replace(member)
            self._recovering(group, member)
        self._tell_what_is_over(group)
        return bool(failed)

    def _fail_over(self, group: StoreGroup, to: str) -> None:
        group.failing_over = group.primary, to
        group.hand_over(to)
        self._tell_what_is_over(group)

    def _tell_what_is_over(self, group: StoreGroup) -> None:
        if group.failing_over and group.is_primary_now(group.failing_over[1]):
            old, new = group.failing_over
            group.failing_over = None
            message = f"Failover from primary node {old} to replica node {new} completed"
            self.happened(NODE, old, message)
            self.happened(GROUP, group.replication_group_id, message)
            self._recovering(group, old)
        for member in [one for one in sorted(group.recovering) if group.is_available(one)]:
            group.recovering.remove(member)
            self.happened(NODE, member, f"Finished recovery for cache nodes {NODE_ID}")

    def _recovering(self, group: StoreGroup, member: str) -> None:
        group.recovering.add(member)
        self.happened(NODE, member, f"Recovering cache nodes {NODE_ID}")


def _check_ready(group: StoreGroup, to: str | None) -> None:
    if group.status != "available" or to is None:
        message = f"Replication group {group.replication_group_id} is not available: a replica is not ready."
        raise ElastiCacheException("InvalidReplicationGroupState", message)


class FailoverCalls(ElastiCacheResponse):
    def test_failover(self) -> ActionResult:
        backend = self.elasticache_backend
        assert isinstance(backend, Failovers)
        group = backend.test_failover(self._get_param("ReplicationGroupId"), self._get_param("NodeGroupId"))
        return ActionResult({"ReplicationGroup": group})


def settle() -> bool:
    """Does what is due in every account and region; True if that changed anything."""
    backends = [backend for account in elasticache_backends.values() for backend in account.values()]
    return any([backend.settle() for backend in backends if isinstance(backend, Failovers)])  # noqa: C419  all of them

"""ElastiCache: the calls for replication groups, their nodes and subnet groups, and the parts of this folder in one."""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.elasticache import models, urls
from moto.elasticache.exceptions import CacheClusterNotFound, ElastiCacheException, InvalidParameterCombinationException
from moto.elasticache.models import CacheSubnetGroup, ReplicationGroup, elasticache_backends
from moto.elasticache.responses import ElastiCacheResponse

from local.control.extend import use_backend, use_model, use_response
from local.control.services.elasticache_events import EventCalls
from local.control.services.elasticache_failover import FailoverCalls, Failovers
from local.control.services.elasticache_group import StoreGroup
from local.control.services.elasticache_parameters import ParameterGroupCalls
from local.control.services.elasticache_users import UserCalls

_TAGGED_KINDS = "cluster|snapshot|subnetgroup|parametergroup|replicationgroup|user|usergroup"


class ElastiCache(Failovers):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.arn_regex = re.compile(rf"^arn:aws:elasticache:[^:]*:[0-9]*:({_TAGGED_KINDS}):")

    def change_subnet_group(self, params: dict[str, Any]) -> CacheSubnetGroup:
        """ModifyCacheSubnetGroup; `params` is the call's parameters."""
        (old,) = self.describe_cache_subnet_groups(params["CacheSubnetGroupName"])
        new = CacheSubnetGroup(
            self.account_id,
            self.region_name,
            old.cache_subnet_group_name,
            params.get("CacheSubnetGroupDescription") or old.cache_subnet_group_description,
            params.get("SubnetIds") or old.subnet_ids,
            old.tags,
        )
        self.cache_subnet_groups[new.cache_subnet_group_name] = new
        return new

    def delete_subnet_group(self, name: str) -> None:
        """DeleteCacheSubnetGroup."""
        self.describe_cache_subnet_groups(name)
        if any(group.cache_subnet_group_name == name for group in self.replication_groups.values()):
            raise ElastiCacheException("CacheSubnetGroupInUse", f"Cache subnet group {name} is currently in use.")
        del self.cache_subnet_groups[name]


class ElastiCacheCalls(ParameterGroupCalls, UserCalls, FailoverCalls, EventCalls):
    @property
    def elasticache_backend(self) -> ElastiCache:
        backend = super().elasticache_backend
        assert isinstance(backend, ElastiCache)
        return backend

    def modify_cache_subnet_group(self) -> ActionResult:
        return ActionResult({"CacheSubnetGroup": self.elasticache_backend.change_subnet_group(self._get_params())})

    def delete_cache_subnet_group(self) -> ActionResult:
        self.elasticache_backend.delete_subnet_group(self._get_param("CacheSubnetGroupName"))
        return ActionResult({})

    def create_replication_group(self) -> ActionResult:
        params, backend = self._get_params(), self.elasticache_backend
        nodes = params.get("NumCacheClusters") or params.get("ReplicasPerNodeGroup", 0) + 1
        backend.check_settings(params, nodes)
        if params.get("UserGroupIds") and not params.get("TransitEncryptionEnabled"):
            raise InvalidParameterCombinationException("User groups need encryption in transit.")
        engine = params.get("Engine", "redis")
        backend.check_engine(engine, params.get("EngineVersion"), params.get("CacheParameterGroupName"))
        zones = {subnet["subnet_availability_zone"] for subnet in self._subnets(params.get("CacheSubnetGroupName"))}
        result = super().create_replication_group()
        group = backend.store(params["ReplicationGroupId"])
        if group.cluster_mode != "enabled":
            group.zones = sorted(zones)
            group.set_nodes(nodes)
        return result

    def modify_replication_group(self) -> ActionResult:
        params, backend = self._get_params(), self.elasticache_backend
        group = backend.store(params["ReplicationGroupId"])
        backend.check_settings(params, len(group.member_clusters))
        engine, version = params.get("Engine", group.engine), params.get("EngineVersion", group.engine_version)
        backend.check_engine(engine, version, params.get("CacheParameterGroupName", group.cache_parameter_group_name))
        group.change(params)
        if params.get("PrimaryClusterId"):
            backend.promote(group, params["PrimaryClusterId"])
        return ActionResult({"ReplicationGroup": group})

    def delete_replication_group(self) -> ActionResult:
        group_id, snapshot = self._get_param("ReplicationGroupId"), self._get_param("FinalSnapshotIdentifier")
        if snapshot:
            self.elasticache_backend.create_snapshot(snapshot, group_id, None, None, None)
        group = self.elasticache_backend.remove(group_id)
        return ActionResult({"ReplicationGroup": group})

    def increase_replica_count(self) -> ActionResult:
        return self._set_replicas()

    def decrease_replica_count(self) -> ActionResult:
        return self._set_replicas()

    def describe_cache_clusters(self) -> ActionResult:
        wanted, backend = self._get_param("CacheClusterId"), self.elasticache_backend
        nodes = [
            node
            for group in backend.replication_groups.values()
            if isinstance(group, StoreGroup) and group.cluster_mode != "enabled"
            for node in group.clusters(group.cache_subnet_group_name)
        ]
        clusters = [*nodes, *backend.cache_clusters.values()]
        if wanted:
            clusters = [node for node in nodes if node["CacheClusterId"] == wanted]
            clusters += [backend.cache_clusters[wanted]] if wanted in backend.cache_clusters else []
            if not clusters:
                raise CacheClusterNotFound(wanted)
        return PaginatedResult({"CacheClusters": clusters})

    def _set_replicas(self) -> ActionResult:
        group = self.elasticache_backend.store(self._get_param("ReplicationGroupId"))
        count = self._get_int_param("NewReplicaCount", 0)
        if not 0 <= count <= 5:
            raise ElastiCacheException("InvalidParameterValue", "NewReplicaCount must be between 0 and 5")
        if count == 0 and group.automatic_failover == "enabled":
            raise InvalidParameterCombinationException("Automatic failover needs at least one replica.")
        group.set_nodes(count + 1)
        return ActionResult({"ReplicationGroup": group})

    def _subnets(self, group: str | None) -> list[dict[str, Any]]:
        return self.elasticache_backend.describe_cache_subnet_groups(group)[0].subnets if group else []


def install() -> None:
    """Puts the parts in moto's place."""
    use_model(ReplicationGroup, StoreGroup, models)
    use_backend(elasticache_backends, ElastiCache)
    use_response(urls, ElastiCacheResponse, ElastiCacheCalls)

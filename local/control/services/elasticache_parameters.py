"""ElastiCache parameter groups: families, the parameters that AWS lets one change, and what is set.

AWS, "Valkey and Redis OSS parameters" and "CreateCacheParameterGroup": a group belongs to a family, and a parameter
that the family does not have is refused; a group in use cannot be deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from moto.core.responses import ActionResult, PaginatedResult
from moto.elasticache.exceptions import ElastiCacheException
from moto.elasticache.models import ElastiCacheBackend
from moto.elasticache.responses import ElastiCacheResponse

FAMILIES = {
    "valkey": {"7.2": "valkey7", "8.0": "valkey8", "8.1": "valkey8", "8.2": "valkey8", "9.0": "valkey9"},
    "redis": {"6.2": "redis6.x", "7.0": "redis7", "7.1": "redis7"},
}

_EVICTION = frozenset(
    {
        "allkeys-lfu",
        "allkeys-lru",
        "allkeys-random",
        "noeviction",
        "volatile-lfu",
        "volatile-lru",
        "volatile-random",
        "volatile-ttl",
    }
)
_DEFAULTS = {"maxmemory-policy": "volatile-lru", "timeout": "0", "tcp-keepalive": "300"}
_CHANGEABLE = frozenset(
    {
        *_DEFAULTS,
        "acllog-max-len",
        "activedefrag",
        "activerehashing",
        "client-query-buffer-limit",
        "cluster-enabled",
        "databases",
        "hash-max-listpack-entries",
        "hash-max-listpack-value",
        "hll-sparse-max-bytes",
        "latency-tracking",
        "lazyfree-lazy-eviction",
        "lazyfree-lazy-expire",
        "lazyfree-lazy-server-del",
        "lazyfree-lazy-user-del",
        "lfu-decay-time",
        "lfu-log-factor",
        "list-compress-depth",
        "list-max-listpack-size",
        "maxmemory-clients",
        "maxmemory-samples",
        "min-replicas-max-lag",
        "min-replicas-to-write",
        "notify-keyspace-events",
        "reserved-memory-percent",
        "set-max-intset-entries",
        "set-max-listpack-entries",
        "slowlog-log-slower-than",
        "slowlog-max-len",
        "tracking-table-max-keys",
        "zset-max-listpack-entries",
        "zset-max-listpack-value",
    }
)


@dataclass
class ParameterGroup:
    """A parameter group; `values` are those that differ from the family's defaults."""

    name: str
    family: str
    description: str
    arn: str
    values: dict[str, str] = field(default_factory=dict)

    def to_result(self) -> dict[str, Any]:
        return {
            "CacheParameterGroupName": self.name,
            "CacheParameterGroupFamily": self.family,
            "Description": self.description,
            "IsGlobal": False,
            "ARN": self.arn,
        }

    def parameters(self, source: str | None) -> list[dict[str, Any]]:
        """As DescribeCacheParameters shows them; `source` is `user`, `system` or None for all."""
        shown = {name: ("system", value) for name, value in _DEFAULTS.items()}
        shown.update({name: ("user", value) for name, value in self.values.items()})
        return [
            {"ParameterName": name, "ParameterValue": value, "Source": where, "IsModifiable": True}
            for name, (where, value) in sorted(shown.items())
            if source in {None, where}
        ]

    def change(self, wanted: list[dict[str, str]]) -> None:
        """ModifyCacheParameterGroup, all or nothing."""
        for parameter in wanted:
            name, value = parameter["ParameterName"], parameter["ParameterValue"]
            if name not in _CHANGEABLE:
                raise _invalid(f"Parameter {name} is invalid or not modifiable")
            if name == "maxmemory-policy" and value not in _EVICTION:
                raise _invalid(f"Value {value} for parameter {name} is invalid")
        self.values.update({parameter["ParameterName"]: parameter["ParameterValue"] for parameter in wanted})


class ParameterGroups(ElastiCacheBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.parameter_groups: dict[str, ParameterGroup] = {}
        for family in sorted({family for versions in FAMILIES.values() for family in versions.values()}):
            self.add_parameter_group(f"default.{family}", family, f"Default parameter group for {family}")

    def add_parameter_group(self, name: str, family: str, description: str) -> ParameterGroup:
        """CreateCacheParameterGroup."""
        if name in self.parameter_groups:
            raise ElastiCacheException(
                "CacheParameterGroupAlreadyExists", f"Cache parameter group {name} already exists"
            )
        if family not in {family for versions in FAMILIES.values() for family in versions.values()}:
            raise _invalid(f"CacheParameterGroupFamily {family} is not a valid parameter group family")
        arn = f"arn:aws:elasticache:{self.region_name}:{self.account_id}:parametergroup:{name}"
        self.parameter_groups[name] = ParameterGroup(name, family, description, arn)
        return self.parameter_groups[name]

    def parameter_group(self, name: str) -> ParameterGroup:
        """The parameter group of that name, or CacheParameterGroupNotFound."""
        if name not in self.parameter_groups:
            raise ElastiCacheException("CacheParameterGroupNotFound", f"CacheParameterGroup not found: {name}")
        return self.parameter_groups[name]

    def delete_parameter_group(self, name: str) -> None:
        """DeleteCacheParameterGroup."""
        self.parameter_group(name)
        users = [group for group in self.replication_groups.values() if group.cache_parameter_group_name == name]
        if users:
            message = f"One or more cache clusters are still members of this parameter group {name}"
            raise ElastiCacheException("InvalidCacheParameterGroupState", message)
        del self.parameter_groups[name]


class ParameterGroupCalls(ElastiCacheResponse):
    @property
    def elasticache_backend(self) -> ParameterGroups:
        backend = super().elasticache_backend
        assert isinstance(backend, ParameterGroups)
        return backend

    def create_cache_parameter_group(self) -> ActionResult:
        params = self._get_params()
        group = self.elasticache_backend.add_parameter_group(
            params["CacheParameterGroupName"].lower(), params["CacheParameterGroupFamily"], params["Description"]
        )
        self.elasticache_backend.add_tags_to_resource(group.arn, params.get("Tags", []))
        return ActionResult({"CacheParameterGroup": group.to_result()})

    def describe_cache_parameter_groups(self) -> ActionResult:
        name, backend = self._get_param("CacheParameterGroupName"), self.elasticache_backend
        groups = [backend.parameter_group(name)] if name else list(backend.parameter_groups.values())
        return PaginatedResult({"CacheParameterGroups": [group.to_result() for group in groups]})

    def describe_cache_parameters(self) -> ActionResult:
        group = self._parameter_group()
        return PaginatedResult({"Parameters": group.parameters(self._get_param("Source"))})

    def modify_cache_parameter_group(self) -> ActionResult:
        group = self._parameter_group()
        group.change(self._get_param("ParameterNameValues"))
        return ActionResult({"CacheParameterGroupName": group.name})

    def reset_cache_parameter_group(self) -> ActionResult:
        group = self._parameter_group()
        if self._get_bool_param("ResetAllParameters", False):
            group.values.clear()
        for parameter in self._get_param("ParameterNameValues", []):
            group.values.pop(parameter["ParameterName"], None)
        return ActionResult({"CacheParameterGroupName": group.name})

    def delete_cache_parameter_group(self) -> ActionResult:
        self.elasticache_backend.delete_parameter_group(self._get_param("CacheParameterGroupName"))
        return ActionResult({})

    def describe_cache_engine_versions(self) -> ActionResult:
        engine, version = self._get_param("Engine"), self._get_param("EngineVersion")
        shown = [
            {"Engine": each, "EngineVersion": number, "CacheParameterGroupFamily": family}
            for each, versions in FAMILIES.items()
            for number, family in versions.items()
            if engine in {None, each} and version in {None, number}
        ]
        return PaginatedResult({"CacheEngineVersions": shown})

    def _parameter_group(self) -> ParameterGroup:
        return self.elasticache_backend.parameter_group(self._get_param("CacheParameterGroupName"))


def _invalid(message: str) -> ElastiCacheException:
    return ElastiCacheException("InvalidParameterValue", message)

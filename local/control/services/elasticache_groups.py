"""The replication groups of one account and region, and what ElastiCache refuses of them.

AWS, "CreateReplicationGroup": failover needs a replica, Multi-AZ needs failover, user groups need encryption in
transit; the parameter group's family must be the engine version's.
"""

from __future__ import annotations

from typing import Any

from moto.elasticache.exceptions import ElastiCacheException, InvalidParameterCombinationException

from local.control.cloud import CLOUD
from local.control.services.elasticache_group import StoreGroup
from local.control.services.elasticache_parameters import FAMILIES, ParameterGroups
from local.control.services.elasticache_users import Users


class StoreGroups(ParameterGroups, Users):
    def store(self, group_id: str) -> StoreGroup:
        """The replication group of that id, or ReplicationGroupNotFoundFault."""
        (group,) = self.describe_replication_groups(group_id)
        assert isinstance(group, StoreGroup)
        return group

    def check_settings(self, params: dict[str, Any], nodes: int) -> None:
        """Refuses what CreateReplicationGroup and ModifyReplicationGroup refuse; `params` as they take them."""
        if params.get("AutomaticFailoverEnabled") and nodes < 2:
            raise InvalidParameterCombinationException("Automatic failover needs at least one replica.")
        if params.get("MultiAZEnabled") and params.get("AutomaticFailoverEnabled") is False:
            raise InvalidParameterCombinationException("Must enable automatic failover in order to enable Multi-AZ.")
        for group in [*params.get("UserGroupIds", []), *params.get("UserGroupIdsToAdd", [])]:
            self.user_group(group)

    def check_engine(self, engine: str, version: str | None, parameter_group: str | None) -> None:
        """Refuses an engine version that does not exist, or one that does not fit the parameter group."""
        versions = FAMILIES.get(engine, {})
        if version is not None and version not in versions:
            message = f"The specified version {version} of {engine} is not one of {', '.join(versions)}"
            raise ElastiCacheException("InvalidParameterValue", message)
        if parameter_group is None:
            return
        family = self.parameter_group(parameter_group).family
        if family != versions[version or max(versions)]:
            message = f"Parameter group {parameter_group} is for {family}, not for {engine} {version}"
            raise InvalidParameterCombinationException(message)

    def remove(self, group_id: str) -> StoreGroup:
        """DeleteReplicationGroup: it is gone at once."""
        group = self.store(group_id)
        group.release_addresses()
        CLOUD.reports.elasticache.pop(group_id, None)
        del self.replication_groups[group_id]
        return group

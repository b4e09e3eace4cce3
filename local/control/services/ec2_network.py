"""EC2 network: what is in use cannot be deleted.

AWS, "DeleteSecurityGroup" and "DeleteSubnet": DependencyViolation while another group refers to a security group, or a
load balancer, database or replication group uses it, and while instances are in a subnet.
"""

from __future__ import annotations

from collections.abc import Iterator

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import EC2Backend
from moto.ec2.models.subnets import Subnet
from moto.elasticache.models import elasticache_backends
from moto.elbv2.models import elbv2_backends
from moto.rds.models import rds_backends


class Network(EC2Backend):
    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        if group_id is not None and any(group_id in used for used in self._used_groups(group_id)):
            raise DependencyViolationError(f"resource {group_id} has a dependent object")
        super().delete_security_group(name, group_id)

    def delete_subnet(self, subnet_id: str) -> Subnet:
        for reservation in self.reservations.values():
            for instance in reservation.instances:
                if instance.subnet_id == subnet_id and instance.state != "terminated":
                    raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
        return super().delete_subnet(subnet_id)

    def _used_groups(self, deleted: str) -> Iterator[list[str]]:
        for groups in self.groups.values():
            for group in groups.values():
                rules = [*group.ingress_rules, *group.egress_rules]
                if group.id != deleted:
                    yield [rule.source_group["GroupId"] for rule in rules if "GroupId" in (rule.source_group or {})]
        for balancer in elbv2_backends[self.account_id][self.region_name].load_balancers.values():
            yield balancer.security_groups
        for database in rds_backends[self.account_id][self.region_name].databases.values():
            yield database.vpc_security_group_ids
        for store in elasticache_backends[self.account_id][self.region_name].replication_groups.values():
            yield store.security_group_ids or []

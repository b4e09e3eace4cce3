"""EC2 gateway endpoints: their routes follow their route tables.

AWS, "ModifyVpcEndpoint": a route to the service is added to each added table and removed from each removed one. moto
does so at creation only, and then fails to delete the endpoint.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend


class Endpoints(EC2Backend):
    def modify_vpc_endpoint(self, vpc_id: str, **changes: Any) -> None:  # type: ignore[override]  # called by names
        endpoint = self.describe_vpc_endpoints([vpc_id])[0]
        before = set(endpoint.route_table_ids or ())
        super().modify_vpc_endpoint(vpc_id, **changes)
        after, prefix_list = set(endpoint.route_table_ids or ()), endpoint.destination_prefix_list_id
        if prefix_list is None:
            return
        for table in after - before:
            self.create_route(table, None, destination_prefix_list_id=prefix_list, gateway_id=vpc_id)
        for table in before - after:
            self.delete_route(table, prefix_list)

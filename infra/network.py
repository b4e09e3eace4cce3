"""The network: a VPC with public, app and data subnets in each zone.

Public subnets hold the balancer and NAT gateways, app subnets the clones, data subnets the stores. Data subnets have no
route out.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names
from infra.settings.network import Network as NetworkSettings
from infra.subnets import Kind, subnet_cidr

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class NetworkArgs:
    """Where the network is.

    Args:
        names: names of the stack.
        region: the region that the zones' letters belong to.
        settings: the component's settings.
    """

    names: Names
    region: str
    settings: NetworkSettings


class Network(pulumi.ComponentResource):
    """The VPC.

    `*_subnet_ids` are in the order of the setting `zones`; `route_table_ids` are those of app and data subnets.
    """

    vpc_id: pulumi.Output[str]
    public_subnet_ids: list[pulumi.Output[str]]
    app_subnet_ids: list[pulumi.Output[str]]
    data_subnet_ids: list[pulumi.Output[str]]
    route_table_ids: list[pulumi.Output[str]]
    zones: list[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Network", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.zones = [f"{args.region}{letter}" for letter in args.settings.zones]
        self.vpc_id = self._vpc().id
        self.public_subnet_ids = self._subnets("public")
        self.app_subnet_ids = self._subnets("app")
        self.data_subnet_ids = self._subnets("data")
        self._public_routes()
        self.route_table_ids = [*self._app_routes(), self._data_routes()]
        self.register_outputs({"vpc_id": self.vpc_id})

    def _tags(self, *parts: str) -> dict[str, str]:
        return {"Name": self._args.names.of(*parts)}

    def _vpc(self) -> aws.ec2.Vpc:
        vpc = aws.ec2.Vpc(
            f"{self._name}-vpc",
            cidr_block=self._args.settings.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags("vpc"),
            opts=self._child,
        )
        aws.ec2.DefaultSecurityGroup(
            f"{self._name}-default-group",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            tags=self._tags("default", "unused"),
            opts=self._child,
        )
        return vpc

    def _subnets(self, kind: Kind) -> list[pulumi.Output[str]]:
        return [self._subnet(kind, letter).id for letter in self._args.settings.zones]

    def _subnet(self, kind: Kind, letter: str) -> aws.ec2.Subnet:
        return aws.ec2.Subnet(
            f"{self._name}-{kind}-{letter}",
            vpc_id=self.vpc_id,
            availability_zone=f"{self._args.region}{letter}",
            cidr_block=subnet_cidr(self._args.settings.cidr, kind, letter),
            map_public_ip_on_launch=False,
            tags=self._tags(kind, letter),
            opts=self._child,
        )

    def _public_routes(self) -> None:
        gateway = aws.ec2.InternetGateway(
            f"{self._name}-gateway", vpc_id=self.vpc_id, tags=self._tags("gateway"), opts=self._child
        )
        table = self._route_table("public").id
        aws.ec2.Route(
            f"{self._name}-public-route",
            route_table_id=table,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._child,
        )
        for letter, subnet in zip(self._args.settings.zones, self.public_subnet_ids, strict=True):
            self._associate("public", letter, table, subnet)
        self._gateway = gateway

    def _app_routes(self) -> list[pulumi.Output[str]]:
        zones = self._args.settings.zones
        gateways = self._nat_gateways()
        tables = []
        for letter, subnet in zip(zones, self.app_subnet_ids, strict=True):
            table = self._route_table("app", letter).id
            self._associate("app", letter, table, subnet)
            if gateways:
                aws.ec2.Route(
                    f"{self._name}-app-{letter}-route",
                    route_table_id=table,
                    destination_cidr_block=ANYWHERE,
                    nat_gateway_id=gateways.get(letter, gateways[zones[0]]),
                    opts=self._child,
                )
            tables.append(table)
        return tables

    def _data_routes(self) -> pulumi.Output[str]:
        table: pulumi.Output[str] = self._route_table("data").id
        for letter, subnet in zip(self._args.settings.zones, self.data_subnet_ids, strict=True):
            self._associate("data", letter, table, subnet)
        return table

    def _nat_gateways(self) -> dict[str, pulumi.Output[str]]:
        """NAT gateways by the letter of their zone; with `single` all zones share the first zone's."""
        settings = self._args.settings
        count = {"per_zone": len(settings.zones), "single": 1, "none": 0}[settings.nat]
        return {
            letter: self._nat_gateway(letter, subnet).id
            for letter, subnet in list(zip(settings.zones, self.public_subnet_ids, strict=True))[:count]
        }

    def _nat_gateway(self, letter: str, subnet: pulumi.Output[str]) -> aws.ec2.NatGateway:
        address = aws.ec2.Eip(
            f"{self._name}-nat-{letter}-address", domain="vpc", tags=self._tags("nat", letter), opts=self._child
        )
        return aws.ec2.NatGateway(
            f"{self._name}-nat-{letter}",
            subnet_id=subnet,
            allocation_id=address.id,
            tags=self._tags("nat", letter),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._gateway]),
        )

    def _route_table(self, *parts: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(
            "-".join((self._name, *parts, "routes")), vpc_id=self.vpc_id, tags=self._tags(*parts), opts=self._child
        )

    def _associate(self, kind: Kind, letter: str, table: pulumi.Output[str], subnet: pulumi.Output[str]) -> None:
        aws.ec2.RouteTableAssociation(
            f"{self._name}-{kind}-{letter}-association", route_table_id=table, subnet_id=subnet, opts=self._child
        )

"""What clones may reach outside the VPC: AWS's APIs, through endpoints in the VPC or through NAT, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names
from infra.settings.network import Network as NetworkSettings

GATEWAY_SERVICES = ("s3", "dynamodb")
"""Reached through route tables, free of charge."""
HTTPS = 443


@dataclass(frozen=True)
class OutboundArgs:
    """Where from.

    Args:
        names: names of the stack.
        region: region of the endpoints' services.
        vpc_id: the VPC.
        subnet_ids: subnets for interface endpoints, one per zone.
        route_table_ids: tables that get routes to the gateway endpoints.
        settings: the network's settings.
    """

    names: Names
    region: str
    vpc_id: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    route_table_ids: list[pulumi.Output[str]]
    settings: NetworkSettings


class Outbound(pulumi.ComponentResource):
    """The endpoints, and `client_group_id`, the security group whose holders may leave the VPC by HTTPS."""

    client_group_id: pulumi.Output[str]

    def __init__(self, name: str, args: OutboundArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Outbound", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.client_group_id = self._group("outbound", "May reach AWS APIs by HTTPS").id
        self._gateway_endpoints()
        if args.settings.interface_endpoints:
            self._interface_endpoints()
        if args.settings.nat != "none":
            self._egress("internet", "HTTPS through NAT", cidr_ipv4="0.0.0.0/0")
        self.register_outputs({"client_group_id": self.client_group_id})

    def _group(self, label: str, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            f"{self._name}-{label}",
            name=self._args.names.of(label),
            description=description,
            vpc_id=self._args.vpc_id,
            tags={"Name": self._args.names.of(label)},
            opts=self._child,
        )

    def _egress(self, label: str, description: str, **destination: pulumi.Input[str]) -> None:
        aws.vpc.SecurityGroupEgressRule(
            f"{self._name}-{label}-egress",
            security_group_id=self.client_group_id,
            description=description,
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
            **destination,
        )

    def _gateway_endpoints(self) -> None:
        for service in GATEWAY_SERVICES:
            endpoint = aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                vpc_id=self._args.vpc_id,
                service_name=f"com.amazonaws.{self._args.region}.{service}",
                vpc_endpoint_type="Gateway",
                route_table_ids=self._args.route_table_ids,
                tags={"Name": self._args.names.of(service)},
                opts=self._child,
            )
            self._egress(service, f"To {service} through its endpoint", prefix_list_id=endpoint.prefix_list_id)

    def _interface_endpoints(self) -> None:
        group = self._group("endpoints", "Interface endpoints of AWS services").id
        aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-endpoints-ingress",
            security_group_id=group,
            referenced_security_group_id=self.client_group_id,
            description="HTTPS from clones",
            ip_protocol="tcp",
            from_port=HTTPS,
            to_port=HTTPS,
            opts=self._child,
        )
        self._egress("endpoints", "To interface endpoints", referenced_security_group_id=group)
        for service in self._args.settings.interface_endpoints:
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                vpc_id=self._args.vpc_id,
                service_name=f"com.amazonaws.{self._args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=self._args.subnet_ids,
                security_group_ids=[group],
                tags={"Name": self._args.names.of(service)},
                opts=self._child,
            )

"""VPCs, subnets and gateways."""

from __future__ import annotations

from typing import Any

from local.provider.row import Call, Find, Item, Reads, Row, Step, Wait
from local.provider.tagging import ec2_tags


def arn(kind: str) -> Reads:
    """Reads the ARN of an EC2 resource of a kind."""
    return lambda _found, it: it.aws.arn("ec2", f"{kind}/{it.id}")


def switch(value: bool) -> dict[str, bool]:
    """EC2's attribute calls wrap what they set."""
    return {"Value": value}


def _of_vpc(operation: str, path: str, name: str, *filters: tuple[str, str]) -> Find:
    def parameters(it: Item) -> dict[str, Any]:
        named = [{"Name": key, "Values": [value]} for key, value in filters]
        return {"Filters": [{"Name": "vpc-id", "Values": [it.id]}, *named]}

    return Find(operation, parameters, path, name)


def _vpc_attribute(attribute: str) -> Find:
    member = attribute[0].upper() + attribute[1:]
    parameters = lambda it: {"VpcId": it.id, "Attribute": attribute}  # noqa: E731  one row, one line
    return Find("describe_vpc_attribute", parameters, f"{member}.Value", attribute)


VPC = Row(
    kind="aws:ec2/vpc:Vpc",
    service="ec2",
    create=Call("create_vpc"),
    id="Vpc.VpcId",
    find=Find("describe_vpcs", lambda it: {"VpcIds": [it.id]}, "Vpcs[0]"),
    more=(
        _vpc_attribute("enableDnsSupport"),
        _vpc_attribute("enableDnsHostnames"),
        _of_vpc("describe_security_groups", "SecurityGroups[0].GroupId", "group", ("group-name", "default")),
        _of_vpc("describe_route_tables", "RouteTables[0].RouteTableId", "table", ("association.main", "true")),
    ),
    updates=(
        Call("modify_vpc_attribute", lambda it: {"VpcId": it.id}, takes=("enableDnsSupport",)),
        Call("modify_vpc_attribute", lambda it: {"VpcId": it.id}, takes=("enableDnsHostnames",)),
    ),
    writes={"enableDnsSupport": ("EnableDnsSupport", switch), "enableDnsHostnames": ("EnableDnsHostnames", switch)},
    reads={
        "arn": arn("vpc"),
        "enableDnsSupport": "enableDnsSupport",
        "enableDnsHostnames": "enableDnsHostnames",
        "defaultSecurityGroupId": "group",
        "mainRouteTableId": "table",
        "defaultRouteTableId": "table",
    },
    tags=ec2_tags("vpc"),
    delete=Call("delete_vpc", lambda it: {"VpcId": it.id}),
)

SUBNET = Row(
    kind="aws:ec2/subnet:Subnet",
    service="ec2",
    create=Call("create_subnet"),
    id="Subnet.SubnetId",
    find=Find("describe_subnets", lambda it: {"SubnetIds": [it.id]}, "Subnets[0]"),
    updates=(Call("modify_subnet_attribute", lambda it: {"SubnetId": it.id}, takes=("mapPublicIpOnLaunch",)),),
    writes={"mapPublicIpOnLaunch": ("MapPublicIpOnLaunch", switch)},
    reads={"arn": arn("subnet")},
    tags=ec2_tags("subnet"),
    delete=Call("delete_subnet", lambda it: {"SubnetId": it.id}),
)


def _attach(it: Item) -> None:
    if it.old.get("vpcId"):
        it.aws.call("ec2", "detach_internet_gateway", InternetGatewayId=it.id, VpcId=it.old["vpcId"])
    if it.new.get("vpcId"):
        it.aws.call("ec2", "attach_internet_gateway", InternetGatewayId=it.id, VpcId=it.new["vpcId"])


def _delete_internet_gateway(it: Item) -> None:
    found = it.aws.call("ec2", "describe_internet_gateways", InternetGatewayIds=[it.id])["InternetGateways"][0]
    for attachment in found["Attachments"]:
        it.aws.call("ec2", "detach_internet_gateway", InternetGatewayId=it.id, VpcId=attachment["VpcId"])
    it.aws.call("ec2", "delete_internet_gateway", InternetGatewayId=it.id)


INTERNET_GATEWAY = Row(
    kind="aws:ec2/internetGateway:InternetGateway",
    service="ec2",
    create=Call("create_internet_gateway"),
    id="InternetGateway.InternetGatewayId",
    find=Find("describe_internet_gateways", lambda it: {"InternetGatewayIds": [it.id]}, "InternetGateways[0]"),
    updates=(Step(("vpcId",), _attach),),
    reads={"arn": arn("internet-gateway"), "vpcId": "Attachments[0].VpcId"},
    tags=ec2_tags("internet-gateway"),
    delete=Step((), _delete_internet_gateway),
)

EIP = Row(
    kind="aws:ec2/eip:Eip",
    service="ec2",
    create=Call("allocate_address"),
    id="AllocationId",
    find=Find("describe_addresses", lambda it: {"AllocationIds": [it.id]}, "Addresses[0]"),
    reads={"arn": arn("elastic-ip")},
    tags=ec2_tags("elastic-ip"),
    delete=Call("release_address", lambda it: {"AllocationId": it.id}),
)

NAT_GATEWAY = Row(
    kind="aws:ec2/natGateway:NatGateway",
    service="ec2",
    create=Call("create_nat_gateway"),
    id="NatGateway.NatGatewayId",
    find=Find("describe_nat_gateways", lambda it: {"NatGatewayIds": [it.id]}, "NatGateways[0]"),
    forget=lambda found: found["State"] == "deleted",
    reads={
        "allocationId": "NatGatewayAddresses[0].AllocationId",
        "associationId": "NatGatewayAddresses[0].AssociationId",
        "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
        "privateIp": "NatGatewayAddresses[0].PrivateIp",
        "publicIp": "NatGatewayAddresses[0].PublicIp",
    },
    tags=ec2_tags("natgateway"),
    ready=Wait("available", "State", frozenset({"available"}), frozenset({"failed", "deleting"})),
    delete=Call("delete_nat_gateway", lambda it: {"NatGatewayId": it.id}),
    gone=Wait("deleted", "State", frozenset()),
)

ROWS = (VPC, SUBNET, INTERNET_GATEWAY, EIP, NAT_GATEWAY)

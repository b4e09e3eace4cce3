"""Route tables, routes, endpoints, flow logs."""

from __future__ import annotations

from collections.abc import Callable

from local.provider.row import Call, Find, Item, Row, Step, Wait
from local.provider.rows.ec2 import arn
from local.provider.tagging import ec2_tags

ROUTE_TABLE = Row(
    kind="aws:ec2/routeTable:RouteTable",
    service="ec2",
    create=Call("create_route_table"),
    id="RouteTable.RouteTableId",
    find=Find("describe_route_tables", lambda it: {"RouteTableIds": [it.id]}, "RouteTables[0]"),
    reads={"arn": arn("route-table")},
    tags=ec2_tags("route-table"),
    delete=Call("delete_route_table", lambda it: {"RouteTableId": it.id}),
)


def _table(it: Item) -> str:
    return it.id.partition("_")[0]


def _destination(it: Item) -> str:
    return it.id.partition("_")[2]


ROUTE = Row(
    kind="aws:ec2/route:Route",
    service="ec2",
    create=Call("create_route"),
    id=lambda it: f"{it['routeTableId']}_{it['destinationCidrBlock']}",
    find=Find(
        "describe_route_tables",
        lambda it: {"RouteTableIds": [_table(it)]},
        lambda it: f"RouteTables[0].Routes[?DestinationCidrBlock=='{_destination(it)}'] | [0]",
    ),
    updates=(Call("replace_route", whole=True),),
    reads={"routeTableId": lambda _found, it: _table(it)},
    delete=Call("delete_route", lambda it: {"RouteTableId": _table(it), "DestinationCidrBlock": _destination(it)}),
    delete_first=True,
)

ROUTE_TABLE_ASSOCIATION = Row(
    kind="aws:ec2/routeTableAssociation:RouteTableAssociation",
    service="ec2",
    create=Call("associate_route_table"),
    id="AssociationId",
    find=Find(
        "describe_route_tables",
        lambda it: {"Filters": [{"Name": "association.route-table-association-id", "Values": [it.id]}]},
        lambda it: f"RouteTables[].Associations[] | [?RouteTableAssociationId=='{it.id}'] | [0]",
    ),
    delete=Call("disassociate_route_table", lambda it: {"AssociationId": it.id}),
    delete_first=True,
)


def _members(name: str, kind: str) -> Callable[[Item], None]:
    """A step that adds and removes members of an endpoint's list `name`."""

    def act(it: Item) -> None:
        old, new = set(it.old.get(name) or ()), set(it.new.get(name) or ())
        changes = {f"Add{kind}": sorted(new - old), f"Remove{kind}": sorted(old - new)}
        wanted = {key: ids for key, ids in changes.items() if ids}
        it.aws.call("ec2", "modify_vpc_endpoint", VpcEndpointId=it.id, **wanted)

    return act


VPC_ENDPOINT = Row(
    kind="aws:ec2/vpcEndpoint:VpcEndpoint",
    service="ec2",
    create=Call("create_vpc_endpoint"),
    id="VpcEndpoint.VpcEndpointId",
    find=Find("describe_vpc_endpoints", lambda it: {"VpcEndpointIds": [it.id]}, "VpcEndpoints[0]"),
    forget=lambda found: found["State"].lower() == "deleted",
    more=(
        Find(
            "describe_managed_prefix_lists",
            lambda it: {"Filters": [{"Name": "prefix-list-name", "Values": [it["serviceName"] or "-"]}]},
            "PrefixLists[0].PrefixListId",
            "prefixList",
        ),
    ),
    updates=(
        Step(("routeTableIds",), _members("routeTableIds", "RouteTableIds")),
        Step(("subnetIds",), _members("subnetIds", "SubnetIds")),
        Step(("securityGroupIds",), _members("securityGroupIds", "SecurityGroupIds")),
        Call("modify_vpc_endpoint", lambda it: {"VpcEndpointId": it.id}, takes=("policy", "privateDnsEnabled")),
    ),
    writes={"policy": "PolicyDocument"},
    reads={"arn": arn("vpc-endpoint"), "securityGroupIds": "Groups[].GroupId", "prefixListId": "prefixList"},
    json=frozenset({"policy"}),
    in_place={"privateDnsEnabled": "ModifyVpcEndpoint takes it, and so does pulumi-aws"},
    tags=ec2_tags("vpc-endpoint"),
    ready=Wait("available", "State", frozenset({"available", "Available"}), frozenset({"failed", "rejected"})),
    delete=Call("delete_vpc_endpoints", lambda it: {"VpcEndpointIds": [it.id]}),
    gone=Wait("deleted", "State", frozenset()),
)

FLOW_LOG = Row(
    kind="aws:ec2/flowLog:FlowLog",
    service="ec2",
    create=Call("create_flow_logs", lambda _: {"ResourceType": "VPC"}),
    id="FlowLogIds[0]",
    find=Find("describe_flow_logs", lambda it: {"FlowLogIds": [it.id]}, "FlowLogs[0]"),
    writes={"vpcId": ("ResourceIds", lambda vpc: [vpc]), "iamRoleArn": "DeliverLogsPermissionArn"},
    reads={"arn": arn("vpc-flow-log"), "vpcId": "ResourceId"},
    tags=ec2_tags("vpc-flow-log"),
    delete=Call("delete_flow_logs", lambda it: {"FlowLogIds": [it.id]}),
)

ROWS = (ROUTE_TABLE, ROUTE, ROUTE_TABLE_ASSOCIATION, VPC_ENDPOINT, FLOW_LOG)

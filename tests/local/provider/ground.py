"""What tests of rows need: the resource types by name, and ids of things made beforehand with boto3."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from goldfleet.servicer import Context, Diff, Existing, Values
from local.provider.aws import Aws
from local.provider.plugin import ROWS
from local.provider.resource import RowResource
from local.provider.schema import schemas

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        ],
    }
)
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Ground:
    """Ids of things that other resources stand on."""

    vpc: str
    subnets: list[str]
    tables: list[str]
    gateway: str
    nat: str
    group: str
    role: str
    image: str
    topic: str
    zone: str

    @classmethod
    def made(cls, aws: Aws) -> Ground:
        ec2 = aws.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"{aws.region}{letter}")
            for n, letter in enumerate("abc")
        ]
        ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=ids[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
        volume = ec2.create_volume(Size=1, AvailabilityZone=f"{aws.region}a")["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        root = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}
        aws.call("iam", "create_role", RoleName="ground", AssumeRolePolicyDocument=TRUST)
        zone = aws.call("route53", "create_hosted_zone", Name="example.com", CallerReference="x")["HostedZone"]["Id"]
        return cls(
            vpc=vpc,
            subnets=ids,
            tables=[ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)],
            gateway=gateway,
            nat=nat,
            group=ec2.create_security_group(GroupName="ground", Description="ground", VpcId=vpc)["GroupId"],
            role="ground",
            image=ec2.register_image(Name="ground", BlockDeviceMappings=[root])["ImageId"],
            topic=aws.call("sns", "create_topic", Name="ground")["TopicArn"],
            zone=zone.rpartition("/")[2],
        )


class Rows:
    """Resource types by the last part of their token, as the engine would call them."""

    def __init__(self, aws: Aws) -> None:
        self._types = {row.kind: RowResource(row, schemas()[row.kind], lambda: aws) for row in ROWS}

    def __getitem__(self, kind: str) -> RowResource:
        return next(resource for token, resource in self._types.items() if token.endswith(kind))

    def checked(self, kind: str, inputs: Values, old: Values | None = None) -> Values:
        """The inputs that the engine would keep."""
        checked, failures = self[kind].check(inputs, old or {}, context())
        assert failures == []
        return checked

    def create(self, kind: str, inputs: Values) -> Existing:
        """What the engine would remember after a creation."""
        checked = self.checked(kind, inputs)
        id_, state = self[kind].create(checked, context())
        return Existing(id_, checked, state)

    def diff(self, kind: str, old: Existing, inputs: Values) -> Diff:
        return self[kind].diff(old, self.checked(kind, inputs, old.inputs), (), context())

    def update(self, kind: str, old: Existing, inputs: Values) -> Existing:
        checked = self.checked(kind, inputs, old.inputs)
        return Existing(old.id, checked, self[kind].update(old, checked, context()))

    def read(self, kind: str, old: Existing) -> Existing | None:
        return self[kind].read(old, context())

    def delete(self, kind: str, old: Existing) -> None:
        self[kind].delete(old, context())


def context(**differs: Any) -> Context:
    """A call of the engine for a resource `thing`."""
    return Context(**{"urn": f"urn::thing{next(_NUMBERS)}", "name": "thing", "seed": b"1", **differs})

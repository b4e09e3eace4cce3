"""The smallest network, image and group that AWS accepts, each under names of its own."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.local.control.running import Control

BLOCK = 512 * 1024
_numbers = count(1)


def name(kind: str) -> str:
    """A name that no other test uses."""
    return f"{kind}-{next(_numbers)}"


def checksum(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def make_snapshot(control: Control, blocks: dict[int, bytes], size: int = 1, **options: Any) -> str:
    """A completed snapshot of `size` GiB with these blocks; returns its id."""
    ebs = control.client("ebs")
    snapshot_id: str = ebs.start_snapshot(VolumeSize=size, **options)["SnapshotId"]
    for index, data in blocks.items():
        ebs.put_snapshot_block(
            SnapshotId=snapshot_id,
            BlockIndex=index,
            BlockData=data,
            DataLength=len(data),
            Checksum=checksum(data),
            ChecksumAlgorithm="SHA256",
        )
    ebs.complete_snapshot(SnapshotId=snapshot_id, ChangedBlocksCount=len(blocks))
    return snapshot_id


def make_image(control: Control, **options: Any) -> str:
    """A registered image with one volume; returns its id."""
    snapshot_id = make_snapshot(control, {0: b"x" * BLOCK})
    given = {
        "Name": name("image"),
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}],
    }
    image_id: str = control.client("ec2").register_image(**{**given, **options})["ImageId"]
    return image_id


@dataclass(frozen=True)
class Network:
    """A VPC with two subnets in two zones."""

    vpc: str
    subnets: tuple[str, str]


def make_network(control: Control) -> Network:
    ec2 = control.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    one, two = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{16 * i}.0/20", AvailabilityZone=f"eu-central-1{zone}")
        for i, zone in enumerate("ab")
    )
    return Network(vpc, (one["Subnet"]["SubnetId"], two["Subnet"]["SubnetId"]))


@dataclass(frozen=True)
class Fleet:
    """A group behind a load balancer, and its launch template."""

    control: Control
    group: str
    template: str
    target_group: str
    load_balancer: str
    network: Network

    def describe(self) -> dict[str, Any]:
        groups = self.control.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])
        found: dict[str, Any] = groups["AutoScalingGroups"][0]
        return found

    def in_service(self) -> list[str]:
        return [each["InstanceId"] for each in self.describe()["Instances"] if each["LifecycleState"] == "InService"]

    def health(self) -> dict[str, str]:
        answer = self.control.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]}

    def report(self, state: str, *instances: str) -> None:
        """Says what health checks find; by default of all instances in service."""
        targets = {instance: {"state": state} for instance in instances or self.in_service()}
        self.control.local("POST", "targets", {self.target_group: targets})

    def new_version(self) -> str:
        """Another version of the launch template; returns its number."""
        data = {"InstanceType": "t3.small"}
        answer = self.control.client("ec2").create_launch_template_version(
            LaunchTemplateId=self.template, SourceVersion="1", LaunchTemplateData=data
        )
        return str(answer["LaunchTemplateVersion"]["VersionNumber"])


def make_fleet(control: Control, desired: int = 2, **options: Any) -> Fleet:
    """A group of `desired` instances between 1 and 6, behind a load balancer with one listener."""
    network, ec2, elbv2 = make_network(control), control.client("ec2"), control.client("elbv2")
    balancer = elbv2.create_load_balancer(Name=name("alb"), Subnets=list(network.subnets))["LoadBalancers"][0]
    target_group = elbv2.create_target_group(Name=name("tg"), Protocol="HTTP", Port=8000, VpcId=network.vpc)
    arn = target_group["TargetGroups"][0]["TargetGroupArn"]
    action = {"Type": "forward", "TargetGroupArn": arn}
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=8080, DefaultActions=[action]
    )
    template = ec2.create_launch_template(
        LaunchTemplateName=name("template"),
        LaunchTemplateData={"ImageId": make_image(control), "InstanceType": "t3.micro"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    group = name("group")
    given: dict[str, Any] = {
        "MinSize": 1,
        "MaxSize": 6,
        "DesiredCapacity": desired,
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": 60,
        "DefaultInstanceWarmup": 0,
        "TargetGroupARNs": [arn],
        "VPCZoneIdentifier": ",".join(network.subnets),
        "LaunchTemplate": {"LaunchTemplateId": template, "Version": "1"},
    }
    control.client("autoscaling").create_auto_scaling_group(AutoScalingGroupName=group, **{**given, **options})
    return Fleet(control, group, template, arn, balancer["LoadBalancerArn"], network)


def make_alarm(control: Control, **options: Any) -> str:
    """An alarm in the OK state; returns its name."""
    alarm = name("alarm")
    given = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HTTPCode_Target_5XX_Count",
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "Period": 60,
        "Threshold": 1,
        "Statistic": "Sum",
    }
    control.client("cloudwatch").put_metric_alarm(AlarmName=alarm, **{**given, **options})
    set_alarm(control, alarm, "OK", "nothing yet")
    return alarm


def set_alarm(control: Control, alarm: str, state: str, reason: str) -> None:
    control.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue=state, StateReason=reason)

"""The real engine with the plugin `goldfleet` on a control plane, and a group to work on."""

from __future__ import annotations

import base64
import gc
import shutil
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation import EngineEvent

from goldfleet.aws_session import DUMMY_ACCOUNT
from goldfleet.cli.checkout import cache_folder
from goldfleet.cli.engine import Engine
from goldfleet.cli.local_project import LocalProject
from goldfleet.cli.pulumi_finder import find_pulumi
from infra.provider.resources import Provider
from tests.local.control.running import Control, running_control, wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with running_control(tmp_path_factory.mktemp("control")) as control:
        yield control


@dataclass
class Lines:
    """What the engine has shown: lines that stay, lines that pass by, and what was done to which resource."""

    kept: list[str] = field(default_factory=list)
    passing: list[str] = field(default_factory=list)
    operations: dict[str, str] = field(default_factory=dict)

    def __call__(self, event: EngineEvent) -> None:
        if (diagnostic := event.diagnostic_event) and diagnostic.severity != "debug":
            (self.passing if diagnostic.ephemeral else self.kept).append(diagnostic.message.strip())
        if done := event.resource_pre_event:
            self.operations[done.metadata.urn.rpartition("::")[2]] = str(done.metadata.op.value)


@dataclass(frozen=True)
class Desk:
    """Runs programs on a stack of their own."""

    project: LocalProject
    control: Control
    account: str = DUMMY_ACCOUNT
    environment: dict[str, str] = field(default_factory=dict)

    def engine(self, declare: Callable[[pulumi.ResourceOptions], None]) -> Engine:
        def program() -> None:
            provider = Provider("own", region="eu-central-1", account_id=self.account, endpoint=self.control.endpoint)
            bounds = pulumi.CustomTimeouts(create="100s", update="100s")
            declare(pulumi.ResourceOptions(provider=provider, custom_timeouts=bounds))

        project = self.project.write("test", {}, program)
        return Engine(replace(project, environment={**project.environment, **self.environment}))

    def up(self, declare: Callable[[pulumi.ResourceOptions], None]) -> tuple[dict[str, Any], Lines]:
        lines = Lines()
        return self.engine(declare).up(lines), lines


LEFT_BY_PULUMI = (
    "ignore:unclosed:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
"""The SDK leaves event loops and sockets open when the engine ends a program before its end."""


def pytest_unconfigure() -> None:
    """The same for a program that still waits for the engine when the tests are over."""
    warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
    warnings.filterwarnings("ignore", category=pytest.PytestUnraisableExceptionWarning)


@pytest.fixture(scope="session")
def cli() -> Path:
    """The Pulumi CLI, from the cache of the person who runs the tests."""
    return find_pulumi(cache_folder(), print)


@pytest.fixture
def desk(tmp_path: Path, control: Control, cli: Path) -> Iterator[Desk]:
    plugins = {"goldfleet": ROOT / "infra" / "provider"}
    project = LocalProject("goldfleet", tmp_path / "project", tmp_path / "state", plugins, cli)
    control.local("DELETE", "requests")
    yield Desk(project, control)
    gc.collect()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the checkout's code with a tiny app, for releases that a test may edit."""
    root = tmp_path / "tree"
    for part in ("infra", "image", "goldfleet"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "app").mkdir()
    (root / "app" / "__init__.py").write_text("")
    (root / "app" / "requirements.lock").write_text("")
    return root


@dataclass(frozen=True)
class Fleet:
    """A group behind a target group, as boto3 sees it."""

    control: Control
    name: str
    template: str
    target_group: str

    def described(self) -> dict[str, Any]:
        answer = self.control.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        found: dict[str, Any] = answer["AutoScalingGroups"][0]
        return found

    def versions(self) -> list[str]:
        return sorted(instance["LaunchTemplate"]["Version"] for instance in self.described()["Instances"])

    def set(self, count: int) -> None:
        """Changes the count as somebody else does, and waits until it is there."""
        autoscaling = self.control.client("autoscaling")
        autoscaling.set_desired_capacity(AutoScalingGroupName=self.name, DesiredCapacity=count)
        self.wait_for(count)

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.described()["Instances"]) == count)

    def new_version(self, text: str) -> int:
        """Writes a version of the template with user data, or without any like the first; returns its number."""
        told = {"UserData": base64.b64encode(text.encode()).decode()} if text else {}
        data = {**self._data(), **told}
        ec2 = self.control.client("ec2")
        answer = ec2.create_launch_template_version(LaunchTemplateId=self.template, LaunchTemplateData=data)
        return int(answer["LaunchTemplateVersion"]["VersionNumber"])

    def _data(self) -> dict[str, Any]:
        ec2 = self.control.client("ec2")
        answer = ec2.describe_launch_template_versions(LaunchTemplateId=self.template, Versions=["1"])
        found: dict[str, Any] = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        return found


@pytest.fixture
def fleet(control: Control) -> Iterator[Fleet]:
    """A group of one clone on version 1, at most six."""
    ec2, autoscaling = control.client("ec2"), control.client("autoscaling")
    name = f"f{uuid.uuid4().hex[:8]}"
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [_subnet(ec2, vpc, zone) for zone in ("a", "b")]
    image = _image(ec2, name)
    data = {"ImageId": image, "InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
    target_group = _target_group(control.client("elbv2"), name, vpc, subnets)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
        MinSize=0,
        MaxSize=6,
        DesiredCapacity=1,
        VPCZoneIdentifier=",".join(subnets),
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
    )
    made = Fleet(control, name, template["LaunchTemplateId"], target_group)
    made.wait_for(1)
    yield made
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


def _subnet(ec2: Any, vpc: str, zone: str) -> str:
    block = {"a": "10.9.1.0/24", "b": "10.9.2.0/24"}[zone]
    answer = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=f"eu-central-1{zone}")
    return str(answer["Subnet"]["SubnetId"])


def _target_group(elbv2: Any, name: str, vpc: str, subnets: list[str]) -> str:
    """A target group that a balancer sends requests to, or its targets would be unused; it drains at once."""
    created = elbv2.create_target_group(Name=name, Protocol="HTTP", Port=8000, VpcId=vpc)
    arn = str(created["TargetGroups"][0]["TargetGroupArn"])
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
    balancer = elbv2.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    return arn


def _image(ec2: Any, name: str) -> str:
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 1}}
    answer = ec2.register_image(
        Name=name, RootDeviceName="/dev/xvda", BlockDeviceMappings=[mapping], Architecture="x86_64"
    )
    return str(answer["ImageId"])

"""A stack on a control plane of its own: the real engine on one side, boto3 on the other."""

from __future__ import annotations

import copy
import json
import urllib.request
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pulumi.automation import EngineEvent, OpType

from goldfleet.aws_session import DUMMY_ACCOUNT, Account, AwsSession
from goldfleet.cli.bring_up import PLUGINS
from goldfleet.cli.checkout import cache_folder
from goldfleet.cli.engine import Engine, Project
from goldfleet.cli.local_project import LocalProject
from goldfleet.cli.pulumi_finder import find_pulumi
from image.registry.images import APP_DEVICE, ROOT_DEVICE
from infra.stack import main

ROOT = Path(__file__).parents[2]
PROJECT = "goldfleet"

Raw = dict[str, dict[str, Any]]
Change = Mapping[str, Any]


@cache
def _file(stack: str) -> Raw:
    config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("goldfleet:"): value for key, value in config.items()}


@dataclass
class Touched:
    """What the engine did: resource's name -> operation, for those that did not stay the same."""

    operations: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def on_event(self, event: EngineEvent) -> None:
        """Keeps what a `res_outputs` or, in a preview, a `resource_pre` event says."""
        pre = event.resource_pre_event
        if pre is None:
            return
        operation = pre.metadata.op
        self.counts[str(operation.value)] += 1
        if operation not in (OpType.SAME, OpType.READ, OpType.REFRESH):
            self.operations[pre.metadata.urn.rpartition("::")[2]] = str(operation.value)


@dataclass(frozen=True)
class World:
    """One stack.

    Args:
        stack: name, and which settings file.
        endpoint: the control plane.
        folder: for project and state.
        base: changes to the settings file that every run has.
    """

    stack: str
    endpoint: str
    folder: Path
    base: Change

    def project(self, changes: Change | None = None) -> Project:
        """The stack's project with its settings and some changes, by path: `{"fleet.desired": 3}`."""
        settings = changed(_file(self.stack), {**self.base, **(changes or {})})
        pulumi = find_pulumi(cache_folder(), lambda _: None)
        local = LocalProject(PROJECT, self.folder / "project", self.folder / "state", PLUGINS, pulumi)
        return local.write(self.stack, settings, main)

    def engine(self, changes: Change | None = None) -> Engine:
        """The engine with the stack's settings and some changes."""
        return Engine(self.project(changes))

    def touched(self, changes: Change | None = None) -> dict[str, str]:
        """What an `up` with some changes would do: resource's name -> operation."""
        seen = Touched()
        self.engine(changes).preview(seen.on_event)
        return seen.operations

    def requests(self) -> list[dict[str, Any]]:
        """Every AWS call since the last time this was asked."""
        with urllib.request.urlopen(f"{self.endpoint}/_local/requests", timeout=30) as answer:
            recorded: list[dict[str, Any]] = json.load(answer)
        forget = urllib.request.Request(f"{self.endpoint}/_local/requests", method="DELETE")
        urllib.request.urlopen(forget, timeout=30).close()
        return recorded

    def client(self, service: str) -> Any:
        """boto3 in the stack's region."""
        return _client(self.endpoint, _file(self.stack)["aws"]["region"], service)


@cache
def _client(endpoint: str, region: str, service: str) -> Any:
    return AwsSession(Account(DUMMY_ACCOUNT, region, endpoint)).client(service)


def changed(settings: Raw, changes: Change) -> Raw:
    """A copy of the settings with values set by path; None takes one away."""
    result = copy.deepcopy(settings)
    for path, value in changes.items():
        component, _, key = path.partition(".")
        section = result.setdefault(component, {})
        section.pop(key, None)
        if value is not None:
            section[key] = value
    return result


def new_world(stack: str, endpoint: str, folder: Path, changes: Change) -> World:
    """A stack with what must be there before it: an image, and for a domain its hosted zone."""
    bare = World(stack, endpoint, folder, {"aws.endpoint": endpoint, "aws.account_id": DUMMY_ACCOUNT})
    base = {**bare.base, "image.release": register_image(bare.client("ec2"), folder.name), **changes}
    if domain := _file(stack)["balancer"].get("domain"):
        zone = bare.client("route53").create_hosted_zone(Name=domain.partition(".")[2], CallerReference=stack)
        base["balancer.hosted_zone_id"] = zone["HostedZone"]["Id"].rpartition("/")[2]
    return World(stack, endpoint, folder, base)


def register_image(ec2: Any, name: str) -> str:
    """An image with a root and an app volume, as a release has."""
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_volume(VolumeId=volume)
    answer = ec2.register_image(
        Name=name,
        RootDeviceName=ROOT_DEVICE,
        BlockDeviceMappings=[
            {"DeviceName": device, "Ebs": {"SnapshotId": snapshot}} for device in (ROOT_DEVICE, APP_DEVICE)
        ],
        Architecture="x86_64",
        VirtualizationType="hvm",
        BootMode="uefi",
        EnaSupport=True,
        ImdsSupport="v2.0",
    )
    return str(answer["ImageId"])

"""Registering a release against the control plane: one image, one snapshot per layer, whatever happens in between."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
import pytest

from goldfleet.errors import ReleaseError
from image.app_layer.layer import Layer, build
from image.app_layer.unpack import unpack
from image.registry import images
from image.registry.blocks import BLOCK
from image.registry.register import register
from image.registry.snapshots import Snapshots
from tests.local.control.running import Control


class PowerCut(BaseException):
    """The machine that registers is switched off."""


@dataclass
class Fuse:
    """Lets so many AWS calls through."""

    calls: int
    lock: Lock = field(default_factory=Lock)

    def spend(self) -> None:
        with self.lock:
            self.calls -= 1
            if self.calls < 0:
                raise PowerCut

    def client(self, control: Control, service: str) -> Any:
        """A client of its own, on this fuse."""
        session = boto3.Session("goldfleet-local", "goldfleet-local", region_name="eu-central-1")
        client = session.client(service, endpoint_url=control.endpoint)
        client.meta.events.register("before-call", lambda **_: self.spend())
        return client


@pytest.fixture
def project() -> str:
    return f"p{uuid.uuid4().hex[:10]}"


@pytest.fixture
def layer(checkout: Path) -> Layer:
    return build(checkout, ["app"])


@pytest.fixture
def snapshots(control: Control, project: str) -> Snapshots:
    return Snapshots(control.client("ec2"), control.client("ebs"), project, lambda _: None)


def left(control: Control, project: str) -> tuple[list[Any], list[Any]]:
    """The project's images and snapshots."""
    ec2, mine = control.client("ec2"), [{"Name": "tag:goldfleet:project", "Values": [project]}]
    images_ = ec2.describe_images(Owners=["self"], Filters=mine)["Images"]
    return images_, ec2.describe_snapshots(OwnerIds=["self"], Filters=mine)["Snapshots"]


def read_back(control: Control, snapshot: str, target: Path) -> Path:
    ebs = control.client("ebs")
    with target.open("wb") as file:
        for block in ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]:
            index, token = block["BlockIndex"], block["BlockToken"]
            answer = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=index, BlockToken=token)
            file.seek(index * BLOCK)
            file.write(answer["BlockData"].read())
    return target


def test_the_image_is_what_aws_boots_and_its_snapshot_holds_the_layer(
    control: Control, project: str, snapshots: Snapshots, layer: Layer, tmp_path: Path
) -> None:
    image = register(snapshots, ["app"], layer)
    ((described,), _) = left(control, project)
    assert image == images.Image(described["ImageId"], layer.release, "/dev/xvda", "/dev/xvdf")
    wanted = {"Architecture": "x86_64", "VirtualizationType": "hvm", "BootMode": "uefi", "EnaSupport": True}
    wanted |= {"ImdsSupport": "v2.0", "RootDeviceName": "/dev/xvda"}
    assert {name: described[name] for name in wanted} == wanted
    mappings = {mapping["DeviceName"]: mapping["Ebs"] for mapping in described["BlockDeviceMappings"]}
    assert all(ebs["Encrypted"] and ebs["DeleteOnTermination"] for ebs in mappings.values())
    unpack(read_back(control, mappings["/dev/xvdf"]["SnapshotId"], tmp_path / "app.raw"), tmp_path / "tree")
    assert layer.release in (tmp_path / "tree" / "manifest.json").read_text()


def test_registering_again_makes_nothing(control: Control, project: str, snapshots: Snapshots, layer: Layer) -> None:
    first = register(snapshots, ["app"], layer)
    control.local("DELETE", "requests")
    assert register(snapshots, ["app"], layer) == first
    assert {call["action"] for call in control.local("GET", "requests")} <= {"DescribeImages"}


def test_another_release_shares_the_root(
    control: Control, project: str, snapshots: Snapshots, layer: Layer, checkout: Path
) -> None:
    register(snapshots, ["app"], layer)
    (checkout / "app" / "__main__.py").write_text("print('two')\n")
    register(snapshots, ["app"], build(checkout, ["app"]))
    found, kept = left(control, project)
    assert (len(found), len(kept)) == (2, 3)


def test_cut_off_after_any_call_and_run_again_there_is_one_image(
    control: Control, project: str, snapshots: Snapshots, layer: Layer
) -> None:
    for calls in range(40):
        fuse = Fuse(calls)
        clients = fuse.client(control, "ec2"), fuse.client(control, "ebs")
        try:
            register(Snapshots(*clients, project, lambda _: None), ["app"], layer)
        except PowerCut:
            continue
        break
    else:
        pytest.fail("never registered")
    assert calls >= 8
    found, kept = left(control, project)
    assert len(found) == 1
    assert sorted(snapshot["State"] for snapshot in kept) == ["completed", "completed"]
    behind = {mapping["Ebs"]["SnapshotId"] for mapping in found[0]["BlockDeviceMappings"]}
    assert behind == {snapshot["SnapshotId"] for snapshot in kept}


def test_a_person_may_stop_the_upload(project: str, control: Control, layer: Layer) -> None:
    def stop(text: str) -> None:
        raise KeyboardInterrupt(text)

    with pytest.raises(KeyboardInterrupt):
        register(Snapshots(control.client("ec2"), control.client("ebs"), project, stop), ["app"], layer)
    assert left(control, project)[0] == []


@pytest.fixture
def throttle(control: Control) -> Iterator[Callable[[int | None], None]]:
    """Makes the control plane refuse so many blocks, or all."""

    def refuse(times: int | None) -> None:
        rule = {"service": "ebs", "action": "PutSnapshotBlock", "error": "RequestThrottledException", "status": 400}
        control.local("POST", "faults", {**rule, "times": times})

    yield refuse
    control.local("DELETE", "faults")


def test_a_block_that_is_refused_for_a_while_is_sent_again(
    control: Control, project: str, layer: Layer, throttle: Callable[[int | None], None]
) -> None:
    throttle(20)
    slept: list[float] = []
    snapshots = Snapshots(control.client("ec2"), control.client("ebs"), project, lambda _: None, slept.append)
    register(snapshots, ["app"], layer)
    assert [len(part) for part in left(control, project)] == [1, 2]
    assert len(slept) >= 20


def test_blocks_that_are_refused_for_ever_are_an_error_not_an_image(
    control: Control, project: str, layer: Layer, throttle: Callable[[int | None], None]
) -> None:
    throttle(None)
    slept: list[float] = []
    snapshots = Snapshots(control.client("ec2"), control.client("ebs"), project, lambda _: None, slept.append)
    with pytest.raises(ReleaseError, match=r"RequestThrottledException.* after \d+ attempts; run the same command"):
        register(snapshots, ["app"], layer)
    assert left(control, project)[0] == []
    assert max(slept) <= 15
    control.local("DELETE", "faults")
    register(snapshots, ["app"], layer)
    assert [len(part) for part in left(control, project)] == [1, 2]


@pytest.mark.parametrize("image_id", ["ami-0123456789abcdef0"])
def test_an_image_that_is_not_there_is_named(control: Control, image_id: str) -> None:
    with pytest.raises(ReleaseError, match=rf"{image_id} does not exist in this account and region"):
        images.get(control.client("ec2"), image_id)


def test_an_os_layer_is_refused(snapshots: Snapshots, layer: Layer) -> None:
    with pytest.raises(ReleaseError, match="OS layer cannot be baked yet"):
        register(snapshots, ["os", "app"], layer)

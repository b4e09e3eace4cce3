"""Security controls that an image and its snapshots must meet, read from what was registered."""

from __future__ import annotations

from typing import Any

import pytest

from image.bake import Baked
from image.registry.register import register
from image.registry.snapshots import Snapshots
from infra.controls import controls
from tests.image.registry.layers import Left

READ_HERE = {"EC2.1"}
"""Beside these the image carries its part of three that the launch template makes hold: EC2.3, EC2.8, EC2.24."""


@pytest.fixture
def image(left: Left, snapshots: Snapshots, baked: Baked) -> dict[str, Any]:
    """The image as EC2 describes it."""
    register(snapshots, baked, needs_boot_test=False)
    (described,) = left.images
    return dict(described)


def test_every_control_of_the_image_is_read_here() -> None:
    assert {control.id for control in controls() if control.where.startswith("image/")} == READ_HERE


def test_ec2_1_nobody_else_may_use_the_snapshots_or_the_image(image: dict[str, Any], left: Left) -> None:
    ec2 = left.control.client("ec2")
    for mapping in image["BlockDeviceMappings"]:
        asked = {"SnapshotId": mapping["Ebs"]["SnapshotId"], "Attribute": "createVolumePermission"}
        assert ec2.describe_snapshot_attribute(**asked)["CreateVolumePermissions"] == []
    assert not image["Public"]
    assert (
        ec2.describe_image_attribute(ImageId=image["ImageId"], Attribute="launchPermission")["LaunchPermissions"] == []
    )


def test_ec2_3_every_volume_of_the_image_is_encrypted(image: dict[str, Any], left: Left) -> None:
    behind = [mapping["Ebs"]["SnapshotId"] for mapping in image["BlockDeviceMappings"]]
    described = left.control.client("ec2").describe_snapshots(SnapshotIds=behind)["Snapshots"]
    assert [snapshot["Encrypted"] for snapshot in described] == [True, True]


def test_ec2_8_and_ec2_24_the_image_asks_for_imdsv2_and_is_not_paravirtual(image: dict[str, Any]) -> None:
    assert (image["ImdsSupport"], image["VirtualizationType"]) == ("v2.0", "hvm")

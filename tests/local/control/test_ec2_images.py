"""Images as EC2 treats them: kept as registered, refused as there, leading to their snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import BLOCK, make_image, make_snapshot, name


def test_an_image_keeps_what_it_was_registered_with(control: Control) -> None:
    ec2 = control.client("ec2")
    os, app = make_snapshot(control, {}), make_snapshot(control, {0: b"a" * BLOCK}, Encrypted=True)
    image_id = make_image(
        control,
        BootMode="uefi",
        EnaSupport=True,
        ImdsSupport="v2.0",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": os, "VolumeType": "gp3", "DeleteOnTermination": True}},
            {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": app}},
        ],
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "goldfleet:release", "Value": "ab12"}]}],
    )
    filters = [{"Name": "tag:goldfleet:release", "Values": ["ab12"]}]
    (image,) = ec2.describe_images(Owners=["self"], Filters=filters)["Images"]
    assert image["ImageId"] == image_id
    assert (image["Architecture"], image["VirtualizationType"], image["BootMode"]) == ("x86_64", "hvm", "uefi")
    assert (image["EnaSupport"], image["ImdsSupport"], image["RootDeviceName"]) == (True, "v2.0", "/dev/xvda")
    assert image["RootDeviceType"] == "ebs"
    mappings = {mapping["DeviceName"]: mapping["Ebs"] for mapping in image["BlockDeviceMappings"]}
    assert mappings["/dev/xvda"]["VolumeType"] == "gp3"
    assert mappings["/dev/sdf"]["SnapshotId"] == app
    assert mappings["/dev/sdf"]["Encrypted"]


def test_an_image_without_architecture_is_an_old_one(control: Control) -> None:
    ec2 = control.client("ec2")
    mapping = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": make_snapshot(control, {})}}
    image_id = ec2.register_image(Name=name("image"), BlockDeviceMappings=[mapping])["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    assert (image["Architecture"], image["VirtualizationType"]) == ("i386", "paravirtual")


@pytest.mark.parametrize(
    ("ebs", "error"),
    [
        ({"Encrypted": True}, "InvalidBlockDeviceMapping"),
        ({"Encrypted": False}, "InvalidBlockDeviceMapping"),
        ({"SnapshotId": "snap-0123"}, r"InvalidSnapshot\.NotFound"),
    ],
)
def test_a_mapping_that_aws_refuses_is_refused(control: Control, ebs: dict[str, Any], error: str) -> None:
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": make_snapshot(control, {}), **ebs}}
    with pytest.raises(ClientError, match=error):
        make_image(control, BlockDeviceMappings=[mapping])


def test_a_volume_is_no_smaller_than_its_snapshot(control: Control) -> None:
    snapshot_id = make_snapshot(control, {}, size=2)
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id, "VolumeSize": 1}}
    with pytest.raises(ClientError, match=r"InvalidBlockDeviceMapping.*expect size >= 2GB"):
        make_image(control, BlockDeviceMappings=[mapping])
    make_image(control, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}])


def test_a_device_is_mapped_once(control: Control) -> None:
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": make_snapshot(control, {})}}
    with pytest.raises(ClientError, match=r"InvalidBlockDeviceMapping.*Duplicate device name"):
        make_image(control, BlockDeviceMappings=[mapping, mapping])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"Name": "a" * 129}, r"InvalidAMIName\.Malformed"),
        ({"Name": "no:colons"}, r"InvalidAMIName\.Malformed"),
        ({"BlockDeviceMappings": []}, "MissingParameter"),
        ({"Architecture": "x86"}, "InvalidParameterValue"),
        ({"VirtualizationType": "qemu"}, "InvalidParameterValue"),
        ({"BootMode": "efi"}, "InvalidParameterValue"),
        ({"ImdsSupport": "v1.0"}, "InvalidParameterValue"),
        ({"TpmSupport": "v1.2"}, "InvalidParameterValue"),
        ({"TagSpecifications": [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}]}, "taggable"),
    ],
)
def test_a_value_that_aws_does_not_know_is_refused(control: Control, options: dict[str, Any], error: str) -> None:
    with pytest.raises(ClientError, match=error):
        make_image(control, **options)


def test_the_root_device_must_be_mapped(control: Control) -> None:
    with pytest.raises(ClientError, match="InvalidBlockDeviceMapping"):
        make_image(control, RootDeviceName="/dev/sda1")


def test_a_pending_snapshot_is_no_image_yet(control: Control) -> None:
    snapshot_id = control.client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    mapping = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}
    with pytest.raises(ClientError, match="IncorrectState"):
        make_image(control, BlockDeviceMappings=[mapping])


def test_two_images_never_have_the_same_name(control: Control) -> None:
    make_image(control, Name="the-same")
    with pytest.raises(ClientError, match=r"InvalidAMIName\.Duplicate"):
        make_image(control, Name="the-same")


def test_the_snapshot_of_an_image_stays_until_the_image_is_gone(control: Control) -> None:
    ec2, image_id = control.client("ec2"), make_image(control)
    (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
    snapshot_id = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.InUse"):
        ec2.delete_snapshot(SnapshotId=snapshot_id)
    ec2.deregister_image(ImageId=image_id)
    ec2.delete_snapshot(SnapshotId=snapshot_id)


def test_an_image_is_deregistered_once(control: Control) -> None:
    ec2, image_id = control.client("ec2"), make_image(control)
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        ec2.deregister_image(ImageId="ami-0123456789abcdef0")
    ec2.deregister_image(ImageId=image_id)
    with pytest.raises(ClientError, match=r"InvalidAMIID\.Unavailable"):
        ec2.deregister_image(ImageId=image_id)
    with pytest.raises(ClientError, match=r"InvalidAMIID\.NotFound"):
        ec2.describe_images(ImageIds=[image_id])
    assert ec2.describe_images(Filters=[{"Name": "image-id", "Values": [image_id]}])["Images"] == []


def test_deregistering_takes_the_snapshots_along_but_for_those_of_another_image(control: Control) -> None:
    ec2, shared, own = control.client("ec2"), make_snapshot(control, {}), make_snapshot(control, {})
    devices = {"/dev/xvda": shared, "/dev/xvdf": own}
    mappings = [{"DeviceName": device, "Ebs": {"SnapshotId": behind}} for device, behind in devices.items()]
    first = make_image(control, BlockDeviceMappings=mappings)
    second = make_image(control, BlockDeviceMappings=mappings[:1])
    answer = ec2.deregister_image(ImageId=first, DeleteAssociatedSnapshots=True)
    codes = {result["SnapshotId"]: result["ReturnCode"] for result in answer["DeleteSnapshotResults"]}
    assert codes == {shared: "skipped", own: "success"}
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        ec2.describe_snapshots(SnapshotIds=[own])
    ec2.deregister_image(ImageId=second, DeleteAssociatedSnapshots=True)
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        ec2.describe_snapshots(SnapshotIds=[shared])


def test_images_are_found_by_any_snapshot_behind_them(control: Control) -> None:
    ec2, root, app = control.client("ec2"), make_snapshot(control, {}), make_snapshot(control, {})
    devices = {"/dev/xvda": root, "/dev/xvdf": app}
    mappings = [{"DeviceName": device, "Ebs": {"SnapshotId": behind}} for device, behind in devices.items()]
    image_id = make_image(control, BlockDeviceMappings=mappings)
    for values, found in (([root], [image_id]), ([app, "snap-0123456789abcdef0"], [image_id]), (["snap-01"], [])):
        filters = [{"Name": "block-device-mapping.snapshot-id", "Values": values}]
        answer = ec2.describe_images(Owners=["self"], Filters=filters)
        assert [image["ImageId"] for image in answer["Images"]] == found

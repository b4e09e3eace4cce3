"""What RegisterImage is told, and that what EC2 would refuse never gets there."""

from __future__ import annotations

from typing import Any

import pytest

from goldfleet.errors import ReleaseError
from image.registry.registration import parameters, problems

RELEASE = "ab" * 32
ROOT, APP = "snap-0123456789abcdef0", "snap-0123456789abcdef1"
MAPPING = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": ROOT}}


def test_what_is_told_is_accepted() -> None:
    told = parameters("shop", RELEASE, ROOT, APP)
    assert problems(told) == []
    assert [mapping["Ebs"]["SnapshotId"] for mapping in told["BlockDeviceMappings"]] == [ROOT, APP]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"Name": "no:colons"}, "the name 'no:colons'"),
        ({"Name": "a" * 129}, "the name"),
        ({"Description": "a" * 256}, "a description of more than 255 characters"),
        ({"Architecture": "i386"}, "Architecture other than x86_64"),
        ({"VirtualizationType": "paravirtual"}, "VirtualizationType other than hvm"),
        ({"BootMode": "legacy-bios"}, "BootMode other than uefi"),
        ({"EnaSupport": False}, "EnaSupport other than True"),
        ({"ImdsSupport": None}, "ImdsSupport other than v2.0"),
        ({"RootDeviceName": "/dev/sda1"}, "a root device without a mapping"),
        ({"BlockDeviceMappings": [MAPPING, MAPPING]}, "two mappings of one device"),
        ({"BlockDeviceMappings": [{**MAPPING, "Ebs": {"SnapshotId": ROOT, "Encrypted": True}}]}, "the mapping of"),
        ({"BlockDeviceMappings": [{**MAPPING, "Ebs": {"SnapshotId": "vol-1"}}]}, "the mapping of /dev/xvda"),
        ({"TagSpecifications": [{"ResourceType": "snapshot", "Tags": []}]}, "tags"),
        ({"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "aws:x", "Value": ""}]}]}, "tags"),
        ({"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "x", "Value": "v" * 257}]}]}, "tags"),
    ],
)
def test_each_thing_that_ec2_refuses_is_named(wrong: dict[str, Any], problem: str) -> None:
    (named,) = problems({**parameters("shop", RELEASE, ROOT, APP), **wrong})
    assert named.startswith(problem)


def test_a_project_that_cannot_name_an_image_is_an_error_with_the_way_out() -> None:
    with pytest.raises(ReleaseError, match=r"EC2 would refuse it: the name 'shop:x-.*; choose another project name"):
        parameters("shop:x", RELEASE, ROOT, APP)

"""What RegisterImage is told, and whether EC2 accepts it. Decides only.

Source: AWS, EC2 API reference, "RegisterImage": architecture and virtualization have old defaults; a mapping with a
snapshot carries no `Encrypted`, it is encrypted because its snapshot is; the name's characters; tags on the image only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from goldfleet.contract.names import TAG_PROJECT, TAG_RELEASE
from goldfleet.errors import ReleaseError
from image.registry.images import APP_DEVICE, ROOT_DEVICE

NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}")
SNAPSHOT = re.compile(r"snap-[0-9a-f]{8,17}")
DESCRIPTION_LENGTH = 255
TAG_KEY_LENGTH, TAG_VALUE_LENGTH = 128, 256
WANTED: Mapping[str, object] = {
    "Architecture": "x86_64",
    "VirtualizationType": "hvm",
    "BootMode": "uefi",
    "EnaSupport": True,
    "ImdsSupport": "v2.0",
}
"""What a Nitro instance needs to boot the image, and only IMDSv2."""


def parameters(project: str, release: str, root_snapshot: str, app_snapshot: str) -> dict[str, Any]:
    """What RegisterImage is told.

    Args:
        project: its name; image names start with it.
        release: digest.
        root_snapshot, app_snapshot: ids of completed snapshots.

    Raises:
        ReleaseError: EC2 would not accept it.
    """
    tags = {"Name": f"{project} {release[:12]}", TAG_PROJECT: project, TAG_RELEASE: release}
    told = {
        "Name": f"{project}-{release}",
        "Description": f"{project}, release {release[:12]}",
        **WANTED,
        "RootDeviceName": ROOT_DEVICE,
        "BlockDeviceMappings": [_mapping(ROOT_DEVICE, root_snapshot), _mapping(APP_DEVICE, app_snapshot)],
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    }
    if broken := problems(told):
        raise ReleaseError("image", f"EC2 would refuse it: {', '.join(broken)}", "choose another project name")
    return told


def problems(told: Mapping[str, Any]) -> list[str]:
    """Why EC2 would not register an image that boots on our instances; nothing if it would.

    Args:
        told: parameters of RegisterImage.
    """
    mappings: Sequence[Mapping[str, Any]] = told.get("BlockDeviceMappings", ())
    devices = [mapping["DeviceName"] for mapping in mappings]
    rules = {
        f"the name '{told.get('Name', '')}'": NAME.fullmatch(told.get("Name", "")),
        "a description of more than 255 characters": len(told.get("Description", "")) <= DESCRIPTION_LENGTH,
        "a root device without a mapping": told.get("RootDeviceName") in devices,
        "two mappings of one device": len(devices) == len(set(devices)),
        **{f"{key} other than {value}": told.get(key) == value for key, value in WANTED.items()},
        **{f"the mapping of {mapping['DeviceName']}": _accepted(mapping) for mapping in mappings},
        "tags": all(_taggable(specification) for specification in told.get("TagSpecifications", ())),
    }
    return [name for name, holds in rules.items() if not holds]


def _mapping(device: str, snapshot: str) -> dict[str, Any]:
    return {
        "DeviceName": device,
        "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3", "DeleteOnTermination": True},
    }


def _accepted(mapping: Mapping[str, Any]) -> bool:
    ebs = mapping.get("Ebs", {})
    return bool(SNAPSHOT.fullmatch(ebs.get("SnapshotId", ""))) and not {"Encrypted", "KmsKeyId"} & ebs.keys()


def _taggable(specification: Mapping[str, Any]) -> bool:
    return specification["ResourceType"] == "image" and all(
        0 < len(tag["Key"]) <= TAG_KEY_LENGTH
        and not tag["Key"].startswith("aws:")
        and len(tag["Value"]) <= TAG_VALUE_LENGTH
        for tag in specification["Tags"]
    )

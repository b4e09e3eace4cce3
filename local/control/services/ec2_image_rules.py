"""What EC2 refuses of RegisterImage, each with EC2's error code.

AWS, "RegisterImage" and "Error codes for the Amazon EC2 API"; where those name no code, the code is that of the same
refusal in other calls: IncorrectState for a snapshot that is not completed, InvalidParameterValue for a value outside
an enumeration and for tags on anything but the image.
"""

from __future__ import annotations

import re
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidSnapshotIdError
from moto.ec2.models import EC2Backend

DEFAULT_ROOT = "/dev/sda1"
_NAME = re.compile(r"[A-Za-z0-9()\[\] ./'@_-]{3,128}")
_VALUES = {
    "Architecture": ("i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"),
    "VirtualizationType": ("hvm", "paravirtual"),
    "BootMode": ("legacy-bios", "uefi", "uefi-preferred"),
    "ImdsSupport": ("v2.0",),
    "TpmSupport": ("v2.0",),
}


def check_image(backend: EC2Backend, spec: dict[str, Any]) -> None:
    """Raises EC2ClientError unless EC2 would register it; `spec` is the call's parameters."""
    if not spec.get("BlockDeviceMappings"):
        raise EC2ClientError("MissingParameter", "The request must contain the parameter blockDeviceMapping")
    _check_name(backend, spec["Name"])
    for key, known in _VALUES.items():
        if key in spec and spec[key] not in known:
            raise EC2ClientError("InvalidParameterValue", f"Value ({spec[key]}) for parameter {key} is invalid.")
    for tags in spec.get("TagSpecifications", ()):
        if tags["ResourceType"] != "image":
            message = f"'{tags['ResourceType']}' is not a valid taggable resource type for this operation."
            raise EC2ClientError("InvalidParameterValue", message)
    devices = [mapping["DeviceName"] for mapping in spec["BlockDeviceMappings"]]
    root = spec.get("RootDeviceName", DEFAULT_ROOT)
    if root not in devices:
        raise _bad_mapping(f"The root device {root} is not in the mappings")
    for device in devices:
        if devices.count(device) > 1:
            raise _bad_mapping(f"Duplicate device name {device}")
    for mapping in spec["BlockDeviceMappings"]:
        _check_volume(backend, mapping["DeviceName"], mapping.get("Ebs", {}))


def _check_name(backend: EC2Backend, name: str) -> None:
    if not _NAME.fullmatch(name):
        message = "AMI names must be between 3 and 128 characters long, and may only contain some characters"
        raise EC2ClientError("InvalidAMIName.Malformed", message)
    for image in backend.amis.values():
        if image.name == name:
            raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {image.id}")


def _check_volume(backend: EC2Backend, device: str, ebs: dict[str, Any]) -> None:
    snapshot_id = ebs.get("SnapshotId")
    if snapshot_id is None:
        return
    if "Encrypted" in ebs:
        raise _bad_mapping(f"the encrypted flag cannot be specified since device {device} has a snapshot specified.")
    snapshot = backend.snapshots.get(snapshot_id)
    if snapshot is None:
        raise InvalidSnapshotIdError
    if snapshot.status != "completed":
        raise EC2ClientError("IncorrectState", f"Snapshot {snapshot_id} is not in the state completed")
    size = snapshot.volume_size
    if ebs.get("VolumeSize", size) < size:
        message = (
            f"Volume of size {ebs['VolumeSize']}GB is smaller than snapshot '{snapshot_id}', expect size >= {size}GB"
        )
        raise _bad_mapping(message)


def _bad_mapping(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidBlockDeviceMapping", message)

"""Layers -> one registered image per release. Killed anywhere and run again, there is one image and no stray snapshot.

Source: AWS, EC2 API reference, "RegisterImage": a mapping with a snapshot carries no `Encrypted`; it is encrypted
because its snapshot is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import botocore.exceptions

from goldfleet.contract.names import TAG_PROJECT, TAG_RELEASE
from goldfleet.errors import ReleaseError
from image.app_layer.layer import Layer
from image.registry import images
from image.registry.images import APP_DEVICE, ROOT_DEVICE, Image
from image.registry.snapshots import Snapshots
from image.registry.volume import app_volume, empty_volume
from image.release import require_app_only

NO_OS_LAYER = "no-os"
"""Names the empty root of images without an OS layer; one snapshot serves them all."""
AVAILABLE_PAUSES = (0.2, 0.5, 1, 2, *[5] * 24)
"""Seconds between looks at a new image: about two minutes in all."""


def register(snapshots: Snapshots, layers: Sequence[str], layer: Layer) -> Image:
    """The registered image of a release; registered now if there is none.

    Args:
        snapshots: of the project that the image is for.
        layers: of `os` and `app`; only `[app]` can be registered.
        layer: the built app layer.

    Raises:
        ReleaseError: the layers cannot be registered here, or AWS does not finish in time.
    """
    require_app_only(layers)
    ec2, project, release = snapshots.ec2, snapshots.project, layer.release
    found = images.find(ec2, project, release)
    if found is not None:
        return found
    root = snapshots.ensure(NO_OS_LAYER, empty_volume())
    app = snapshots.ensure(release, app_volume(release, layer.file_system))
    snapshots.progress("registering the image")
    try:
        ec2.register_image(**parameters(project, release, root, app))
    except botocore.exceptions.ClientError as error:
        # A name is taken once: somebody else has registered the same release in the meantime.
        if error.response["Error"]["Code"] != "InvalidAMIName.Duplicate":
            raise
    return _wait_available(snapshots, release)


def _wait_available(snapshots: Snapshots, release: str) -> Image:
    for pause in AVAILABLE_PAUSES:
        found = images.find(snapshots.ec2, snapshots.project, release)
        if found is not None:
            return found
        snapshots.progress("waiting until the image is available")
        snapshots.sleep(pause)
    raise ReleaseError(release, "registered, but not available in time", "run the same command again")


def parameters(project: str, release: str, root_snapshot: str, app_snapshot: str) -> dict[str, Any]:
    """What RegisterImage is told."""
    tags = {"Name": f"{project} {release[:12]}", TAG_PROJECT: project, TAG_RELEASE: release}
    return {
        "Name": f"{project}-{release}",
        "Description": f"{project}, release {release[:12]}",
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "BootMode": "uefi",
        "EnaSupport": True,
        "ImdsSupport": "v2.0",
        "RootDeviceName": ROOT_DEVICE,
        "BlockDeviceMappings": [_mapping(ROOT_DEVICE, root_snapshot), _mapping(APP_DEVICE, app_snapshot)],
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    }


def _mapping(device: str, snapshot: str) -> dict[str, Any]:
    return {
        "DeviceName": device,
        "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3", "DeleteOnTermination": True},
    }

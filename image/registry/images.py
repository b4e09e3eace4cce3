"""Registered images: how they are named and tagged, and how a release is looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from goldfleet.contract.names import TAG_PROJECT, TAG_RELEASE
from goldfleet.errors import ReleaseError

ROOT_DEVICE = "/dev/xvda"
APP_DEVICE = "/dev/xvdf"


@dataclass(frozen=True)
class Image:
    """A registered image.

    Args:
        id: `ami-...`.
        release: the digest it is tagged with, empty if it has no such tag.
        root_device: device name of its root volume.
        app_device: device name of its app volume, empty if it has none.
    """

    id: str
    release: str
    root_device: str
    app_device: str


def find(ec2: Any, project: str, release: str) -> Image | None:
    """The project's image of a release; the oldest one, should there be several.

    Args:
        ec2: boto3 client.
        project: tag `goldfleet:project`.
        release: digest.
    """
    answer = ec2.describe_images(
        Owners=["self"],
        Filters=[
            {"Name": f"tag:{TAG_PROJECT}", "Values": [project]},
            {"Name": f"tag:{TAG_RELEASE}", "Values": [release]},
            {"Name": "state", "Values": ["available"]},
        ],
    )
    images = sorted(answer["Images"], key=lambda image: (image.get("CreationDate", ""), image["ImageId"]))
    return _image(images[0]) if images else None


def of_project(ec2: Any, project: str) -> list[Image]:
    """All images of a project, oldest first.

    Args:
        ec2: boto3 client.
        project: tag `goldfleet:project`.
    """
    answer = ec2.describe_images(Owners=["self"], Filters=[{"Name": f"tag:{TAG_PROJECT}", "Values": [project]}])
    images = sorted(answer["Images"], key=lambda image: (image.get("CreationDate", ""), image["ImageId"]))
    return [_image(image) for image in images]


def get(ec2: Any, image_id: str) -> Image:
    """The image with this id.

    Raises:
        ReleaseError: there is none in this account and region, or it is not available.
    """
    try:
        images = ec2.describe_images(ImageIds=[image_id])["Images"]
    except botocore.exceptions.ClientError as error:
        if not error.response["Error"]["Code"].startswith("InvalidAMIID"):
            raise
        images = []
    if not images or images[0]["State"] != "available":
        state = f"is {images[0]['State']}" if images else "does not exist in this account and region"
        raise ReleaseError("image.release", f"{image_id} {state}", "name an available image, a digest or working-tree")
    return _image(images[0])


def _image(described: Mapping[str, Any]) -> Image:
    tags = {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())}
    devices = {mapping["DeviceName"] for mapping in described.get("BlockDeviceMappings", ())}
    return Image(
        id=described["ImageId"],
        release=tags.get(TAG_RELEASE, ""),
        root_device=described.get("RootDeviceName", ROOT_DEVICE),
        app_device=APP_DEVICE if APP_DEVICE in devices else "",
    )

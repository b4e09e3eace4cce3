"""EC2 instances and Auto Scaling groups, as AWS describes them -> clones to run."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from goldfleet.contract.names import TAG_RELEASE
from local.plane.control import Control
from local.plane.pages import pages
from local.plane.wanted import BootedClone, Clone, Membership, Release

_ALIVE = ("pending", "running")
_FEWEST_BLOCKS = 100
"""The least that EBS's direct API can be asked for."""


class Instances:
    """Running instances; what never changes of one is asked for once.

    Args:
        control: the control plane.
    """

    def __init__(self, control: Control) -> None:
        self._ec2 = control.client("ec2")
        self._iam = control.client("iam")
        self._ebs = control.client("ebs")
        self._region = control.region
        self._user_data: dict[str, str | None] = {}
        self._roles: dict[str, str | None] = {}
        self._empty: dict[str, bool] = {}

    def images(self) -> dict[str, Release]:
        """The releases that are registered, by image."""
        described = pages(self._ec2, "describe_images", "Images", Owners=["self"])
        found = {image["ImageId"]: self._release(image) for image in described}
        return {name: release for name, release in found.items() if release}

    def running(self, images: Mapping[str, Release]) -> tuple[Clone, ...]:
        """All instances that are pending or running; one whose image has no release cannot start."""
        states = [{"Name": "instance-state-name", "Values": list(_ALIVE)}]
        reservations = pages(self._ec2, "describe_instances", "Reservations", Filters=states)
        instances = [instance for reservation in reservations for instance in reservation["Instances"]]
        known = {instance["InstanceId"] for instance in instances}
        self._user_data = {name: text for name, text in self._user_data.items() if name in known}
        return tuple(self._clone(instance, images) for instance in instances)

    def _clone(self, instance: Mapping[str, Any], images: Mapping[str, Release]) -> Clone:
        image = images.get(instance["ImageId"], Release("", ""))
        clone = Clone(
            instance_id=instance["InstanceId"],
            address=instance["PrivateIpAddress"],
            zone=instance["Placement"]["AvailabilityZone"],
            region=self._region,
            image_id=instance["ImageId"],
            instance_type=instance["InstanceType"],
            release=image.digest,
            snapshot=image.snapshot,
            tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in instance.get("Tags", ()))),
            user_data=self._told(instance["InstanceId"]),
            role=self._role(instance.get("IamInstanceProfile", {}).get("Arn", "")),
        )
        return BootedClone(**vars(clone), root=image.root) if image.root else clone

    def _release(self, image: Mapping[str, Any]) -> Release | None:
        """The release is a tag; the app volume is the one beside the root."""
        tags = {tag["Key"]: tag["Value"] for tag in image.get("Tags", ())}
        volumes = {
            mapping["DeviceName"]: mapping["Ebs"]["SnapshotId"]
            for mapping in image.get("BlockDeviceMappings", ())
            if mapping.get("Ebs", {}).get("SnapshotId")
        }
        root = volumes.pop(image.get("RootDeviceName"), "")
        if TAG_RELEASE not in tags or not volumes:
            return None
        return Release(tags[TAG_RELEASE], next(iter(volumes.values())), "" if self._is_empty(root) else root)

    def _is_empty(self, snapshot: str) -> bool:
        """Whether a snapshot holds nothing, as that of an image without an OS layer."""
        if snapshot and snapshot not in self._empty:
            blocks = self._ebs.list_snapshot_blocks(SnapshotId=snapshot, MaxResults=_FEWEST_BLOCKS)["Blocks"]
            self._empty[snapshot] = not blocks
        return self._empty.get(snapshot, True)

    def _told(self, instance_id: str) -> str | None:
        if instance_id not in self._user_data:
            answer = self._ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
            encoded = answer.get("UserData", {}).get("Value")
            self._user_data[instance_id] = base64.b64decode(encoded).decode() if encoded else None
        return self._user_data[instance_id]

    def _role(self, profile_arn: str) -> str | None:
        if not profile_arn:
            return None
        if profile_arn not in self._roles:
            name = profile_arn.rpartition("/")[2]
            roles = self._iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
            self._roles[profile_arn] = roles[0]["RoleName"] if roles else None
        return self._roles[profile_arn]


def memberships(autoscaling: Any) -> tuple[Membership, ...]:
    """All members of all groups."""
    groups = pages(autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups")
    return tuple(
        Membership(
            group=group["AutoScalingGroupName"],
            instance_id=instance["InstanceId"],
            healthy=instance["HealthStatus"].lower() == "healthy",
        )
        for group in groups
        for instance in group["Instances"]
    )

"""EC2 images: RegisterImage keeps what it is told, refuses what AWS refuses, and an image leads to its snapshots.

AWS, "RegisterImage": a mapping with a snapshot must not say `Encrypted`; Architecture is i386 and VirtualizationType
paravirtual unless said. AWS, "DeleteSnapshot": the snapshot of a registered image cannot be deleted.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidSnapshotIdError, InvalidSnapshotInUse
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_ami_id


class RegisteredImage(Ami):
    """An image made by RegisterImage: `spec` is the call's parameters."""

    def __init__(self, backend: Any, spec: dict[str, Any]) -> None:
        super().__init__(
            backend,
            random_ami_id(),
            name=spec["Name"],
            description=spec.get("Description", ""),
            architecture=spec.get("Architecture", "i386"),
            virtualization_type=spec.get("VirtualizationType", "paravirtual"),
            root_device_name=spec.get("RootDeviceName", "/dev/sda1"),
            root_device_type="ebs",
            boot_mode=spec.get("BootMode", ""),
        )
        del backend.snapshots[self.ebs_snapshot.id]
        self.ena_support = spec.get("EnaSupport", False)
        self.imds_support = spec.get("ImdsSupport")
        self.image_location = f"{self.owner_id}/{self.name}"
        self._mappings = [_described(backend, mapping) for mapping in spec["BlockDeviceMappings"]]

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return self._mappings

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name == "block-device-mapping.snapshot-id":
            return snapshots_of(self)
        return super().get_filter_value(filter_name, method_name)


class Images(EC2Backend):
    def register_from_snapshots(self, spec: dict[str, Any], tags: dict[str, str]) -> Ami:
        """Registers an image; `spec` is the call's parameters."""
        for image in self.amis.values():
            if image.name == spec["Name"]:
                message = f"AMI name {spec['Name']} is already in use by AMI {image.id}"
                raise EC2ClientError("InvalidAMIName.Duplicate", message)
        for mapping in spec["BlockDeviceMappings"]:
            _check_mapping(self, mapping)
        devices = {mapping["DeviceName"] for mapping in spec["BlockDeviceMappings"]}
        root = spec.get("RootDeviceName", "/dev/sda1")
        if root not in devices:
            raise EC2ClientError("InvalidBlockDeviceMapping", f"The root device {root} is not in the mappings")
        image = RegisteredImage(self, spec)
        self.amis[image.id] = image
        image.add_tags(tags)
        return image

    def delete_snapshot(self, snapshot_id: str) -> Snapshot:
        for image in self.amis.values():
            if snapshot_id in snapshots_of(image):
                raise InvalidSnapshotInUse(snapshot_id, image.id)
        return super().delete_snapshot(snapshot_id)


class ImageCalls(EC2Response):
    def register_image(self) -> ActionResult:
        spec = self._get_params()
        self.error_on_dryrun()
        if not spec.get("BlockDeviceMappings"):
            return super().register_image()
        tags = self._parse_tag_specification().get("image", {})
        return ActionResult({"ImageId": self.ec2_backend.register_from_snapshots(spec, tags).id})


def snapshots_of(image: Ami) -> list[str]:
    """Ids of the snapshots behind an image's volumes."""
    return [
        mapping["Ebs"]["SnapshotId"]
        for mapping in image.block_device_mappings
        if mapping.get("Ebs", {}).get("SnapshotId")
    ]


def _check_mapping(backend: EC2Backend, mapping: dict[str, Any]) -> None:
    ebs = mapping.get("Ebs", {})
    snapshot_id = ebs.get("SnapshotId")
    if snapshot_id is None:
        return
    if "Encrypted" in ebs:
        message = (
            f"the encrypted flag cannot be specified since device {mapping['DeviceName']} has a snapshot specified"
        )
        raise EC2ClientError("InvalidBlockDeviceMapping", message)
    snapshot = backend.snapshots.get(snapshot_id)
    if snapshot is None:
        raise InvalidSnapshotIdError
    if snapshot.status != "completed":
        raise EC2ClientError("IncorrectState", f"Snapshot {snapshot_id} is not in the state completed")
    if ebs.get("VolumeSize", snapshot.volume_size) < snapshot.volume_size:
        message = f"Volume of size {ebs['VolumeSize']}GB is smaller than snapshot '{snapshot_id}'"
        raise EC2ClientError("InvalidBlockDeviceMapping", message)


def _described(backend: Any, mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping as DescribeImages shows it."""
    ebs = dict(mapping.get("Ebs", {}))
    snapshot = backend.snapshots.get(ebs.get("SnapshotId"))
    if snapshot is not None:
        ebs = {"VolumeSize": snapshot.volume_size, "Encrypted": snapshot.encrypted, **ebs}
    return {**mapping, "Ebs": {"VolumeType": "gp2", "DeleteOnTermination": True, "Encrypted": False, **ebs}}

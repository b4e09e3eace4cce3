"""EC2 images: RegisterImage keeps what it is told, refuses what AWS refuses, and an image leads to its snapshots.

AWS, "RegisterImage": Architecture is i386 and VirtualizationType paravirtual unless said. AWS, "DeleteSnapshot": the
snapshot of a registered image cannot be deleted. AWS, "DeregisterImage": instances stay, the image's snapshots go if
asked, but for those of another image.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidAMIIdError, InvalidSnapshotInUse
from moto.ec2.models import EC2Backend
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_ami_id
from typing_extensions import override

from local.control.services.ec2_image_rules import DEFAULT_ROOT, check_image

BEHIND = "block-device-mapping.snapshot-id"


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
            root_device_name=spec.get("RootDeviceName", DEFAULT_ROOT),
            root_device_type="ebs",
            boot_mode=spec.get("BootMode", ""),
        )
        del backend.snapshots[self.ebs_snapshot.id]
        self.ena_support = spec.get("EnaSupport", False)
        self.imds_support = spec.get("ImdsSupport")
        self.tpm_support = spec.get("TpmSupport")
        self.image_location = f"{self.owner_id}/{self.name}"
        self._mappings = [_described(backend, mapping) for mapping in spec["BlockDeviceMappings"]]

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        return self._mappings


class Images(EC2Backend):
    def register_from_snapshots(self, spec: dict[str, Any], tags: dict[str, str]) -> Ami:
        """Registers an image; `spec` is the call's parameters."""
        check_image(self, spec)
        image = RegisteredImage(self, spec)
        self.amis[image.id] = image
        image.add_tags(tags)
        return image

    @override
    def describe_images(
        self,
        ami_ids: list[str] | None = None,
        filters: dict[str, Any] | None = None,
        exec_users: list[str] | None = None,
        owners: list[str] | None = None,
    ) -> list[Ami]:
        missing = [ami_id for ami_id in ami_ids or () if ami_id in self.deleted_amis]
        if missing:
            raise InvalidAMIIdError(missing)
        # moto matches a filter of several values only against an image that has all of them.
        other_filters = {name: values for name, values in (filters or {}).items() if name != BEHIND}
        found = super().describe_images(ami_ids, other_filters, exec_users, owners)
        wanted = set(filters[BEHIND]) if filters and BEHIND in filters else None
        return [image for image in found if wanted is None or wanted & set(snapshots_of(image))]

    def delete_snapshots_of(self, image: Ami) -> list[dict[str, str]]:
        """Deletes what was behind an image that is deregistered; returns what became of each snapshot."""
        others = {snapshot for other in self.amis.values() for snapshot in snapshots_of(other)}
        results = []
        for snapshot in snapshots_of(image):
            if snapshot not in others:
                self.delete_snapshot(snapshot)
            results.append({"SnapshotId": snapshot, "ReturnCode": "skipped" if snapshot in others else "success"})
        return results

    def delete_snapshot(self, snapshot_id: str) -> Snapshot:
        for image in self.amis.values():
            if snapshot_id in snapshots_of(image):
                raise InvalidSnapshotInUse(snapshot_id, image.id)
        return super().delete_snapshot(snapshot_id)


class ImageCalls(EC2Response):
    def register_image(self) -> ActionResult:
        spec = self._get_params()
        self.error_on_dryrun()
        tags = self._parse_tag_specification().get("image", {})
        return ActionResult({"ImageId": self.ec2_backend.register_from_snapshots(spec, tags).id})

    def deregister_image(self) -> ActionResult:
        self.error_on_dryrun()
        image = self.ec2_backend.amis.get(self._get_param("ImageId"))
        answer = super().deregister_image()
        if image is None or not self._get_bool_param("DeleteAssociatedSnapshots"):
            return answer
        return ActionResult({"Return": True, "DeleteSnapshotResults": self.ec2_backend.delete_snapshots_of(image)})


def snapshots_of(image: Ami) -> list[str]:
    """Ids of the snapshots behind an image's volumes."""
    return [
        mapping["Ebs"]["SnapshotId"]
        for mapping in image.block_device_mappings
        if mapping.get("Ebs", {}).get("SnapshotId")
    ]


def _described(backend: Any, mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping as DescribeImages shows it."""
    ebs = dict(mapping.get("Ebs", {}))
    snapshot = backend.snapshots.get(ebs.get("SnapshotId"))
    if snapshot is not None:
        ebs = {"VolumeSize": snapshot.volume_size, "Encrypted": snapshot.encrypted, **ebs}
    return {**mapping, "Ebs": {"VolumeType": "gp2", "DeleteOnTermination": True, "Encrypted": False, **ebs}}

"""EC2 instances: what a launch template says reaches the instance, volumes are the image's, addresses are local ones.

AWS, "RunInstances": parameters of the call override those of the launch template; an instance has the image's volumes,
changed by the mappings of the same device name; the primary network interface goes with its instance.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.exceptions import InvalidAMIIdError, UnvailableAMIIdError
from moto.ec2.models import EC2Backend, instances
from moto.ec2.models.instances import Instance, Reservation
from moto.ec2.models.security_groups import SecurityGroup
from moto.ec2.responses import EC2Response

from local.addresses import instance_address
from local.control.cloud import CLOUD
from local.control.extend import use_model


class LocalInstance(Instance):
    """An instance whose private address is one of this machine."""

    def prep_nics(
        self,
        nic_spec: list[dict[str, Any]],
        private_ip: str | None = None,
        associate_public_ip: bool | None = None,
        security_groups: list[SecurityGroup] | None = None,
        ipv6_address_count: int | None = None,
    ) -> None:
        super().prep_nics(nic_spec, private_ip, associate_public_ip, security_groups, ipv6_address_count)
        primary = self.nics[0]
        if primary.private_ip_address is None or primary.private_ip_address.startswith("127."):
            return
        primary.private_ip_address = instance_address(CLOUD.network, primary.private_ip_address)
        primary.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": primary.private_ip_address}]
        primary.delete_on_termination = True


class Instances(EC2Backend):
    def run_instances(
        self,
        image_id: str,
        count: int,
        user_data: Base64EncodedString | None,
        security_group_names: list[str],
        **kwargs: Any,
    ) -> Reservation:
        template: dict[str, Any] = {}
        if kwargs.get("launch_template"):
            template = self._get_template_from_args(kwargs["launch_template"]).data
        image_id = image_id or template.get("ImageId", "")
        kwargs = {**kwargs, **_from_template(template, kwargs)}
        if image_id in self.deleted_amis:
            raise UnvailableAMIIdError(image_id)
        if image_id not in self.amis:
            raise InvalidAMIIdError(image_id)
        overrides = [*template.get("BlockDeviceMappings", []), *kwargs.get("block_device_mappings", [])]
        mappings = self.amis[image_id].block_device_mappings
        kwargs["block_device_mappings"] = merged_mappings(mappings, overrides)
        reservation = super().run_instances(image_id, count, user_data, security_group_names, **kwargs)
        profile = template.get("IamInstanceProfile")
        if profile and not (kwargs.get("iam_instance_profile_name") or kwargs.get("iam_instance_profile_arn")):
            for instance in reservation.instances:
                self.associate_iam_instance_profile(instance.id, profile.get("Name"), profile.get("Arn"))
        return reservation


class InstanceCalls(EC2Response):
    def get_console_output(self) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        text = CLOUD.reports.consoles.get(instance.id, "")
        output = Base64EncodedString.from_raw_string(text)
        return ActionResult({"InstanceId": instance.id, "Timestamp": utcnow(), "Output": output})


def merged_mappings(image: list[dict[str, Any]], overrides: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The image's mappings with those of the same device name laid over them."""
    merged = {mapping["DeviceName"]: mapping for mapping in image}
    for mapping in overrides:
        name = mapping["DeviceName"]
        ebs = {**merged.get(name, {}).get("Ebs", {}), **mapping.get("Ebs", {})}
        merged[name] = {**merged.get(name, {}), **mapping, "Ebs": ebs}
    return list(merged.values())


def _from_template(template: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that a template adds to a launch, where the call itself does not name them."""
    added: dict[str, Any] = {}
    if template.get("MetadataOptions"):
        added["metadata_options"] = {**template["MetadataOptions"], **(given.get("metadata_options") or {})}
    if template.get("Monitoring", {}).get("Enabled"):
        added["monitoring_state"] = "enabled"
    interface = next(iter(template.get("NetworkInterfaces", [])), None)
    if interface and not given.get("nics"):
        added["security_group_ids"] = given.get("security_group_ids") or interface.get("Groups", [])
        added["associate_public_ip"] = interface.get("AssociatePublicIpAddress", given.get("associate_public_ip"))
    specified = template.get("TagSpecifications", [])
    volume_tags = {
        tag["Key"]: tag["Value"] for spec in specified if spec["ResourceType"] == "volume" for tag in spec["Tags"]
    }
    tags = given.get("tags") or {}
    added["tags"] = {**tags, "volume": {**volume_tags, **tags.get("volume", {})}}
    return added


def install() -> None:
    """Puts this file in moto's place."""
    use_model(Instance, LocalInstance, instances)

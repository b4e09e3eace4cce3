"""What an account has of a project's images, and everything that refers to them. Reads only.

Images and snapshots belong to the project, whatever its stacks; a launch template belongs to one stack. Of everybody
else's things only the references count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from goldfleet.contract.names import TAG_PROJECT, TAG_RELEASE, Names
from image.registry.rollback_target import Version, refused_versions
from image.registry.snapshots import TAG_LAYER

ALIVE = ("pending", "running", "stopping", "stopped")
"""States of instances that run, or may run again, from their image's volumes."""
MOST_REFRESHES = 100
"""That AWS tells in one answer, the newest first."""
ACTIVE_REFRESH = frozenset({"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"})


@dataclass(frozen=True)
class Template:
    """A launch template; `ours` if it belongs to the stack."""

    id: str
    name: str
    ours: bool
    versions: tuple[Version, ...]


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group of a launch template of ours; `version` is the number that it launches now, `refused` are
    those that its rollouts went back from."""

    name: str
    template: str
    version: int
    refreshing: bool
    refused: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Instance:
    """An instance, whoever's; `template` and `version` are empty unless it comes from a launch template."""

    id: str
    image: str
    template: str
    version: str


@dataclass(frozen=True)
class OwnImage:
    """An image of the project; `created` is ISO 8601."""

    id: str
    release: str
    created: str
    snapshots: tuple[str, ...]


@dataclass(frozen=True)
class OwnSnapshot:
    """A snapshot of a layer of the project."""

    id: str
    layer: str
    state: str
    started: datetime


@dataclass(frozen=True)
class Inventory:
    """All of it; `foreign` are the snapshots behind images that are not the project's, with the image's id."""

    templates: tuple[Template, ...]
    groups: tuple[Group, ...]
    instances: tuple[Instance, ...]
    images: tuple[OwnImage, ...]
    snapshots: tuple[OwnSnapshot, ...]
    foreign: Mapping[str, str]


def observe(ec2: Any, autoscaling: Any, names: Names) -> Inventory:
    """Asks AWS.

    Args:
        ec2, autoscaling: boto3 clients.
        names: of the stack.
    """
    templates = tuple(_templates(ec2, names))
    found = list(_pages(ec2, "describe_images", "Images", Owners=["self"]))
    ours = [image for image in found if _tags(image).get(TAG_PROJECT) == names.project]
    foreign = {one: image["ImageId"] for image in found if image not in ours for one in _behind(image)}
    return Inventory(
        templates=templates,
        groups=tuple(_groups(autoscaling, [template for template in templates if template.ours])),
        instances=tuple(_instances(ec2)),
        images=tuple(_image(image) for image in ours),
        snapshots=tuple(_snapshots(ec2, names.project)),
        foreign=foreign,
    )


def _templates(ec2: Any, names: Names) -> Iterator[Template]:
    for template in _pages(ec2, "describe_launch_templates", "LaunchTemplates"):
        found, told = template["LaunchTemplateId"], "describe_launch_template_versions"
        versions = tuple(
            Version(
                version["VersionNumber"], version["LaunchTemplateData"].get("ImageId", ""), version["DefaultVersion"]
            )
            for version in _pages(ec2, told, "LaunchTemplateVersions", LaunchTemplateId=found)
        )
        ours = names.tags.items() <= _tags(template).items()
        yield Template(found, template["LaunchTemplateName"], ours, versions)


def _groups(autoscaling: Any, templates: Sequence[Template]) -> Iterator[Group]:
    ours = {template.id: template for template in templates}
    for group in _pages(autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups"):
        told = group.get("LaunchTemplate", {})
        template = ours.get(told.get("LaunchTemplateId", ""))
        if template is not None:
            name = group["AutoScalingGroupName"]
            answer = autoscaling.describe_instance_refreshes(AutoScalingGroupName=name, MaxRecords=MOST_REFRESHES)
            refreshes = answer["InstanceRefreshes"]
            refreshing = any(one["Status"] in ACTIVE_REFRESH for one in refreshes)
            number = _number(template, told.get("Version", "$Default"))
            yield Group(name, template.id, number, refreshing, refused_versions(refreshes))


def _number(template: Template, version: str) -> int:
    if version == "$Latest":
        return max(one.number for one in template.versions)
    if version == "$Default":
        return next(one.number for one in template.versions if one.default)
    return int(version)


def _instances(ec2: Any) -> Iterator[Instance]:
    filters = [{"Name": "instance-state-name", "Values": list(ALIVE)}]
    for reservation in _pages(ec2, "describe_instances", "Reservations", Filters=filters):
        for instance in reservation["Instances"]:
            tags = _tags(instance)
            template, version = (tags.get(f"aws:ec2launchtemplate:{key}", "") for key in ("id", "version"))
            yield Instance(instance["InstanceId"], instance["ImageId"], template, version)


def _image(described: Mapping[str, Any]) -> OwnImage:
    release = _tags(described).get(TAG_RELEASE, "")
    return OwnImage(described["ImageId"], release, str(described.get("CreationDate", "")), tuple(_behind(described)))


def _snapshots(ec2: Any, project: str) -> Iterator[OwnSnapshot]:
    filters = [{"Name": f"tag:{TAG_PROJECT}", "Values": [project]}, {"Name": "tag-key", "Values": [TAG_LAYER]}]
    for snapshot in _pages(ec2, "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=filters):
        layer = _tags(snapshot)[TAG_LAYER]
        yield OwnSnapshot(snapshot["SnapshotId"], layer, snapshot["State"], snapshot["StartTime"])


def _behind(image: Mapping[str, Any]) -> Iterator[str]:
    for mapping in image.get("BlockDeviceMappings", ()):
        if snapshot := mapping.get("Ebs", {}).get("SnapshotId"):
            yield snapshot


def _pages(client: Any, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]


def _tags(described: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in described.get("Tags", ())}

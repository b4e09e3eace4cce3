"""Launch templates: every change is a new version."""

from __future__ import annotations

from typing import Any

from goldfleet.servicer import Values
from local.provider.casing import find_name, to_aws
from local.provider.row import Call, Find, Item, Make, Name, Row, Step
from local.provider.rows.ec2 import arn
from local.provider.tagging import ec2_tags, pairs

# Input -> member of LaunchTemplateData.
_DATA = {
    "blockDeviceMappings": "BlockDeviceMappings",
    "creditSpecification": "CreditSpecification",
    "disableApiStop": "DisableApiStop",
    "disableApiTermination": "DisableApiTermination",
    "ebsOptimized": "EbsOptimized",
    "iamInstanceProfile": "IamInstanceProfile",
    "imageId": "ImageId",
    "instanceInitiatedShutdownBehavior": "InstanceInitiatedShutdownBehavior",
    "instanceType": "InstanceType",
    "keyName": "KeyName",
    "metadataOptions": "MetadataOptions",
    "monitoring": "Monitoring",
    "networkInterfaces": "NetworkInterfaces",
    "tagSpecifications": "TagSpecifications",
    "userData": "UserData",
    "vpcSecurityGroupIds": "SecurityGroupIds",
}


def _data(it: Item) -> Values:
    shape = it.aws.input_shape("ec2", "create_launch_template").members["LaunchTemplateData"]
    data = {}
    for name, member in _DATA.items():
        if it.new.get(name) is not None:
            data[member] = to_aws(_listed(name, it.new[name]), shape.members[member], name)
    return data


def _listed(name: str, value: Any) -> Any:
    """Values that the program writes in another shape than AWS: tags as a map, groups of an interface."""
    if name == "tagSpecifications":
        return [{**entry, "tags": pairs(entry.get("tags") or {})} for entry in value]
    if name == "networkInterfaces":
        return [{("groups" if key == "securityGroups" else key): item for key, item in e.items()} for e in value]
    return value


def _tag_specifications(found: Any, _it: Item) -> Any:
    entries = found["latest"]["LaunchTemplateData"].get("TagSpecifications") or ()
    return [
        {"ResourceType": entry["ResourceType"], "Tags": {tag["Key"]: tag["Value"] for tag in entry["Tags"]}}
        for entry in entries
        if entry["ResourceType"] != "launch-template"  # moto lists the template's own tags here too
    ]


def _network_interfaces(found: Any, _it: Item) -> Any:
    entries = found["latest"]["LaunchTemplateData"].get("NetworkInterfaces")
    if not entries:
        return None
    groups = {id(entry): find_name("groups", entry) for entry in entries}
    return [{**entry, "SecurityGroups": entry.get(groups[id(entry)] or "", [])} for entry in entries]


def _version(it: Item) -> Values:
    description = {"VersionDescription": it.new["description"]} if it.new.get("description") else {}
    return {"LaunchTemplateData": _data(it), **description}


def _create(it: Item) -> str:
    tags = it.new.get("tags")
    kind = {"ResourceType": "launch-template", "Tags": pairs(tags or {})}
    answer = it.aws.call(
        "ec2",
        "create_launch_template",
        LaunchTemplateName=it.new["name"],
        **_version(it),
        **({"TagSpecifications": [kind]} if tags else {}),
    )
    return str(answer["LaunchTemplate"]["LaunchTemplateId"])


def _new_version(it: Item) -> None:
    answer = it.aws.call("ec2", "create_launch_template_version", LaunchTemplateId=it.id, **_version(it))
    if it.new.get("updateDefaultVersion"):
        version = str(answer["LaunchTemplateVersion"]["VersionNumber"])
        it.aws.call("ec2", "modify_launch_template", LaunchTemplateId=it.id, DefaultVersion=version)


LAUNCH_TEMPLATE = Row(
    kind="aws:ec2/launchTemplate:LaunchTemplate",
    service="ec2",
    create=Make((*_DATA, "name", "description", "tags"), _create),
    find=Find("describe_launch_templates", lambda it: {"LaunchTemplateIds": [it.id]}, "LaunchTemplates[0]"),
    more=(
        Find(
            "describe_launch_template_versions",
            lambda it: {"LaunchTemplateId": it.id, "Versions": ["$Latest"]},
            "LaunchTemplateVersions[0]",
            "latest",
        ),
    ),
    updates=(Step((*_DATA, "description"), _new_version),),
    reads={
        **{name: f"latest.LaunchTemplateData.{member}" for name, member in _DATA.items()},
        "arn": arn("launch-template"),
        "name": "LaunchTemplateName",
        "description": "latest.VersionDescription",
        "tagSpecifications": _tag_specifications,
        "networkInterfaces": _network_interfaces,
        "latestVersion": "LatestVersionNumber",
        "defaultVersion": "DefaultVersionNumber",
    },
    own=frozenset({"updateDefaultVersion"}),
    volatile=("latestVersion", "defaultVersion"),
    name=Name(length=125),
    tags=ec2_tags("launch-template"),
    delete=Call("delete_launch_template", lambda it: {"LaunchTemplateId": it.id}),
)

ROWS = (LAUNCH_TEMPLATE,)

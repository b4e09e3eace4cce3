"""Tags: reading them, and turning those that are there into those that are wanted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jmespath

from local.provider.row import Find, Item, Parameters, Tags


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{key: name, value: text} for name, text in tags.items()]


def ec2_tags(kind: str, path: str = "Tags") -> Tags:
    """Tags of an EC2 resource of a kind, such as `subnet`."""
    return Tags(
        add="create_tags",
        remove="delete_tags",
        whose=lambda it: {"Resources": [it.id]},
        at_create=lambda tags: {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs(tags)}]},
        path=path,
        keys="Tags",
    )


def arn_tags(style: str, arn: Parameters, *, path: str) -> Tags:
    """Tags of a service that has `add_tags_to_resource` or `tag_resource` for a resource's ARN."""
    add, remove = ("add_tags_to_resource", "remove_tags_from_resource")
    if style == "tag_resource":
        add, remove = ("tag_resource", "untag_resource")
    return Tags(
        add=add,
        remove=remove,
        whose=arn,
        read=Find("list_tags_for_resource", arn),
        at_create=lambda tags: {"Tags": pairs(tags)},
        path=path,
    )


def read(tags: Tags, service: str, item: Item, found: Any) -> dict[str, str]:
    """The tags that are there, without AWS's own."""
    source = found
    if tags.read is not None:
        source = item.aws.call(service, tags.read.operation, **tags.read.parameters(item))
    listed = jmespath.search(tags.path, source) or {}
    if tags.pair is not None:
        key, value = tags.pair
        listed = {entry[key]: entry[value] for entry in listed or ()}
    return {name: text for name, text in listed.items() if not name.startswith("aws:")}


def write(tags: Tags, service: str, item: Item, there: Mapping[str, str]) -> None:
    """Makes the tags that are `there` those that are wanted."""
    if tags.replace is not None:
        tags.replace(item)
        return
    wanted = item.new.get("tags") or {}
    gone = [name for name in there if name not in wanted]
    new = {name: text for name, text in wanted.items() if there.get(name) != text}
    if gone:
        keys: Any = [{"Key": name} for name in gone] if tags.keys == "Tags" else gone
        item.aws.call(service, tags.remove, **tags.whose(item), **{tags.keys: keys})
    if new:
        values: Any = new if tags.pair is None else pairs(new, *tags.pair)
        item.aws.call(service, tags.add, **tags.whose(item), **{tags.member: values})

"""Versions of a launch template that say the same: one is as good as another, whatever its number.

After a failed rollout the setting goes back, which writes a new version with the content of an old one. The clones
run that content already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Version = tuple[str, str]
"""Id of a launch template and number of a version."""


@dataclass(frozen=True)
class Goal:
    """What every clone shall run.

    Args:
        version: as the program names it.
        same: it, and every other version of its template with the same content.
    """

    version: Version
    same: frozenset[Version]


def goal(ec2: Any, version: Version) -> Goal:
    """The goal that `version` is; asks EC2 for all versions of its template.

    Args:
        ec2: a boto3 client.
        version: one that exists.
    """
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(LaunchTemplateId=version[0])
    found = {
        (version[0], str(each["VersionNumber"])): _unordered(each["LaunchTemplateData"])
        for page in pages
        for each in page["LaunchTemplateVersions"]
    }
    same = {each for each, content in found.items() if content == found.get(version)}
    return Goal(version, frozenset({version, *same}))


def _unordered(value: Any) -> Any:
    """A value that is equal to another if they differ in the order of lists only."""
    if isinstance(value, dict):
        return {key: _unordered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(inner) for inner in value), key=repr)
    return value

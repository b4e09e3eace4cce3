"""The releases around a fleet: the one it runs, the one it would go back to, the one it has refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goldfleet.aws_session import AwsSession
from goldfleet.cli.stack_view import find_group, releases_of
from goldfleet.contract.names import Names
from image.registry.inventory import ACTIVE_REFRESH, MOST_REFRESHES
from image.registry.rollback_target import Version, refused_versions, rollback_target


@dataclass(frozen=True)
class Images:
    """Images by id; empty where there is none.

    Args:
        running: what the group launches.
        previous: what a rollback goes to.
        refused: what the newest rollout brought and was rolled back from.
    """

    running: str
    previous: str
    refused: str


@dataclass(frozen=True)
class FleetReleases:
    """Releases as the setting `image.release` names them: a digest, or the image's id where it carries none.

    Args:
        running, previous: empty where there is none.
        refused: every name of the release that was rolled back; empty if the newest rollout was not.
    """

    running: str
    previous: str
    refused: frozenset[str]


def look(session: AwsSession, names: Names) -> FleetReleases:
    """Asks AWS.

    Args:
        session: the stack's account.
        names: names of the stack.
    """
    group = find_group(session, names)
    template = group.get("LaunchTemplate", {})
    if not template:
        return FleetReleases("", "", frozenset())
    ec2 = session.client("ec2")
    refreshes = session.client("autoscaling").describe_instance_refreshes(
        AutoScalingGroupName=group["AutoScalingGroupName"], MaxRecords=MOST_REFRESHES
    )["InstanceRefreshes"]
    versions = tuple(_versions(ec2, template["LaunchTemplateId"]))
    images = around(versions, int(template["Version"]), refreshes)
    releases = releases_of(ec2, [images.running, images.previous, images.refused])
    refused = {images.refused, releases.get(images.refused, "")} - {""}
    return FleetReleases(
        releases.get(images.running, images.running),
        releases.get(images.previous, images.previous),
        frozenset(refused),
    )


def around(versions: Sequence[Version], current: int, refreshes: Sequence[Mapping[str, Any]]) -> Images:
    """The images around a group.

    While a rollout to another image is under way, going back means to what the group had before it.

    Args:
        versions: of the group's launch template.
        current: number of the version that the group launches.
        refreshes: the group's, as AWS describes them, newest first.
    """
    refresh = refreshes[0] if refreshes else {}
    images = {version.number: version.image for version in versions}
    running, status = images.get(current, ""), refresh.get("Status", "")
    brought = refresh.get("DesiredConfiguration", {}).get("LaunchTemplate", {}).get("Version", "")
    other = images.get(int(brought or 0), "")
    other = other if other != running else ""
    before = rollback_target(versions, current, refused_versions(refreshes))
    under_way = bool(other) and status in ACTIVE_REFRESH
    return Images(
        running=running,
        previous=running if under_way else (before.image if before else ""),
        refused=other if status == "RollbackSuccessful" else "",
    )


def _versions(ec2: Any, template: str) -> Iterator[Version]:
    pages = ec2.get_paginator("describe_launch_template_versions").paginate(LaunchTemplateId=template)
    for version in (version for page in pages for version in page["LaunchTemplateVersions"]):
        yield Version(version["VersionNumber"], version["LaunchTemplateData"].get("ImageId", ""))

"""What runs of a stack, as AWS tells it: the balancer, the clones, the stores, the last events."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from goldfleet.aws_session import AwsSession
from goldfleet.cli.stack_stores import Store, databases, replication_groups
from goldfleet.contract.clone import UserData
from goldfleet.contract.names import TAG_PROJECT, TAG_RELEASE, TAG_STACK, Names

EVENTS_SHOWN = 8
ACTIVITIES_READ = 100
"""As many as AWS tells in one answer."""
SCALING_SOURCE, LOCAL_SOURCE = "scaling", "local"


@dataclass(frozen=True)
class Clone:
    """One instance of the fleet.

    Args:
        release: digest of what it runs, or its image's id when the image carries no release.
        lifecycle: of the group: `InService`, `Pending`, `Terminating`, ...
        health: of the target group: `healthy`, `initial`, `unhealthy`, `draining`, `unused`.
        reason: why it is not healthy, in AWS's words.
    """

    id: str
    zone: str
    address: str
    release: str
    lifecycle: str
    health: str
    reason: str


@dataclass(frozen=True)
class Event:
    """Something that happened to the stack.

    Args:
        time: ISO 8601, to the second.
        text: one sentence.
        cause: why, in AWS's words; of a local event its kind.
        source: `scaling`, an activity of the group, or `local`, seen by this machine's local cloud.
    """

    time: str
    text: str
    cause: str
    source: str = SCALING_SOURCE


@dataclass(frozen=True)
class View:
    """A stack at one moment; counts are of clones.

    Args:
        releases: digests that run now; two while a rollout is under way.
        setting: `fleet.desired`.
        wanted: what the group wants now; scaling may have moved it away from the setting.
        events: the last ones, newest last.
        moved: what last changed how many clones the group wants, and when; empty if that is not known.
    """

    stack: str
    url: str
    releases: tuple[str, ...]
    setting: int
    wanted: int
    min: int
    max: int
    clones: tuple[Clone, ...]
    stores: tuple[Store, ...]
    events: tuple[Event, ...]
    moved: str = ""

    @property
    def serving(self) -> int:
        return sum(clone.health == "healthy" for clone in self.clones)

    def with_news(self, news: Iterable[Event]) -> View:
        """The same with further events, in the order of their times; a handful is kept."""
        events = sorted((*self.events, *news), key=lambda event: event.time)
        return replace(self, events=tuple(events[-EVENTS_SHOWN:]))


def observe(session: AwsSession, names: Names, setting: int) -> View:
    """Asks AWS.

    Args:
        session: the stack's account.
        names: names of the stack.
        setting: `fleet.desired` as written in the settings.
    """
    group = find_group(session, names)
    clones = _clones(session, group)
    user_data = told(session, group)
    activities = _activities(session, group)
    return View(
        stack=names.stack,
        url=user_data.public_url if user_data else "",
        releases=tuple(sorted({clone.release for clone in clones})),
        setting=setting,
        wanted=group.get("DesiredCapacity", 0),
        min=group.get("MinSize", 0),
        max=group.get("MaxSize", 0),
        clones=tuple(clones),
        stores=(*databases(session, names, user_data), *replication_groups(session, names)),
        events=activities[-EVENTS_SHOWN:],
        moved=last_move(activities),
    )


def find_group(session: AwsSession, names: Names) -> Mapping[str, Any]:
    """The fleet's group, or an empty mapping when there is none yet."""
    pages = session.client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate()
    for group in (group for page in pages for group in page["AutoScalingGroups"]):
        if _is_of(names, group["Tags"]):
            return dict(group)
    return {}


def _clones(session: AwsSession, group: Mapping[str, Any]) -> list[Clone]:
    members = {member["InstanceId"]: member for member in group.get("Instances", [])}
    if not members:
        return []
    ec2 = session.client("ec2")
    found = ec2.describe_instances(InstanceIds=sorted(members))["Reservations"]
    instances = [instance for reservation in found for instance in reservation["Instances"]]
    releases = releases_of(ec2, {instance["ImageId"] for instance in instances})
    health = _health(session, group["TargetGroupARNs"])
    clones = []
    for instance in instances:
        state, reason = health.get(instance["InstanceId"], ("unused", ""))
        clones.append(
            Clone(
                id=instance["InstanceId"],
                zone=instance["Placement"]["AvailabilityZone"],
                address=instance.get("PrivateIpAddress", ""),
                release=releases.get(instance["ImageId"], instance["ImageId"]),
                lifecycle=members[instance["InstanceId"]]["LifecycleState"],
                health=state,
                reason=reason,
            )
        )
    return sorted(clones, key=lambda clone: (clone.zone, clone.id))


def releases_of(ec2: Any, image_ids: Iterable[str]) -> dict[str, str]:
    """Image id -> digest of the release that it holds; without those that carry none or are gone."""
    # By a filter: an instance runs on when its image is deregistered, and asking for its id would be an error.
    images = ec2.describe_images(Filters=[{"Name": "image-id", "Values": sorted(image_ids)}])["Images"]
    tagged = {image["ImageId"]: _tags(image.get("Tags", [])).get(TAG_RELEASE) for image in images}
    return {image: release for image, release in tagged.items() if release}


def _health(session: AwsSession, target_groups: Iterable[str]) -> dict[str, tuple[str, str]]:
    """State and reason by instance id."""
    balancer = session.client("elbv2")
    described = [
        target
        for arn in target_groups
        for target in balancer.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    ]
    return {
        target["Target"]["Id"]: (target["TargetHealth"]["State"], target["TargetHealth"].get("Description", ""))
        for target in described
    }


def told(session: AwsSession, group: Mapping[str, Any]) -> UserData | None:
    """What the newest version of the group's launch template tells a clone; None when it tells nothing of ours."""
    if not group.get("LaunchTemplate"):
        return None
    template = group["LaunchTemplate"]["LaunchTemplateId"]
    answer = session.client("ec2").describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
    encoded = answer["LaunchTemplateVersions"][0]["LaunchTemplateData"].get("UserData")
    return UserData.from_text(base64.b64decode(encoded).decode()) if encoded else None


def last_move(activities: Sequence[Event]) -> str:
    """The sentence, of the newest cause that has one, that tells what changed the group's desired capacity.

    Args:
        activities: oldest first, with their causes in AWS's words.
    """
    for activity in reversed(activities):
        for sentence in re.split(r"\s*\bAt \S+Z,? ", activity.cause):
            if "changing the desired capacity" in sentence:
                return f"{sentence.rstrip(' .')}, {activity.time}"
    return ""


def _activities(session: AwsSession, group: Mapping[str, Any]) -> tuple[Event, ...]:
    if not group:
        return ()
    activities = session.client("autoscaling").describe_scaling_activities(
        AutoScalingGroupName=group["AutoScalingGroupName"], MaxRecords=ACTIVITIES_READ
    )["Activities"]
    return tuple(
        Event(moment(one["StartTime"]), one.get("Description", ""), one.get("Cause", ""))
        for one in reversed(activities)  # AWS tells the newest first
    )


def _is_of(names: Names, tags: list[dict[str, str]]) -> bool:
    found = _tags(tags)
    return found.get(TAG_PROJECT) == names.project and found.get(TAG_STACK) == names.stack


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def moment(time: datetime) -> str:
    """A time as the person's clock shows it, ISO 8601."""
    return time.astimezone().isoformat(timespec="seconds")

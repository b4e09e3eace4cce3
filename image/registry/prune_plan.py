"""What there is -> what goes, in which order, and why each thing that stays stays. Decides only.

Old versions of the stack's launch template go first, for each of them refers to an image; then images that nothing
refers to; then snapshots that no image has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from goldfleet.errors import ReleaseError
from image.registry.inventory import Inventory, OwnImage, OwnSnapshot, Template
from image.registry.rollback_target import Version, rollback_target
from image.registry.snapshots import UPLOAD_MINUTES

Kind = Literal["template version", "image", "snapshot"]


@dataclass(frozen=True)
class Entry:
    """One thing of the project.

    Args:
        kind: what it is.
        id: AWS's; of a template version `lt-.../NUMBER`.
        holds: the release, layer or image that it stands for.
        reasons: why it stays; it goes if there are none.
    """

    kind: Kind
    id: str
    holds: str
    reasons: tuple[str, ...]

    @property
    def goes(self) -> bool:
        return not self.reasons


def plan(inventory: Inventory, keep: int, settings: Mapping[str, str], now: datetime) -> list[Entry]:
    """Every template version, image and snapshot, in the order in which those that go are removed.

    Args:
        inventory: what there is.
        keep: how many of the newest template versions, and of the newest images, stay in any case.
        settings: stack -> its setting `image.release`, of all stacks of the project.
        now: the time, with its zone.

    Raises:
        ReleaseError: fewer than one would be kept, or a rollout is under way.
    """
    if keep < 1:
        raise ReleaseError("--keep", f"{keep} would remove what was just registered", "keep at least 1")
    for group in inventory.groups:
        if group.refreshing:
            way_out = "run this again when `goldfleet status` shows one release"
            raise ReleaseError(group.name, "an instance refresh is under way", way_out)
    ours = [template for template in inventory.templates if template.ours]
    versions = [entry for template in ours for entry in _versions(inventory, template, keep)]
    images = list(_images(inventory, keep, settings, {entry.id for entry in versions if entry.goes}))
    snapshots = list(_snapshots(inventory, {entry.id for entry in images if entry.goes}, now))
    return [*versions, *images, *snapshots]


def version_id(template: Template, version: Version) -> str:
    """How a template version is named here."""
    return f"{template.id}/{version.number}"


def _versions(inventory: Inventory, template: Template, keep: int) -> Iterator[Entry]:
    newest = _newest((version.number for version in template.versions), keep)
    for version in sorted(template.versions, key=lambda one: one.number):
        reasons = list(_of_groups(inventory, template, version))
        if count := _count(
            one.template == template.id and one.version == str(version.number) for one in inventory.instances
        ):
            reasons.append(f"{count} launched from it")
        if version.default:
            reasons.append("default version")
        if version.number in newest:
            reasons.append(f"one of the newest {keep}")
        yield Entry("template version", version_id(template, version), version.image, tuple(reasons))


def _of_groups(inventory: Inventory, template: Template, version: Version) -> Iterator[str]:
    for group in inventory.groups:
        if group.template != template.id:
            continue
        if version.number == group.version:
            yield f"{group.name} launches it"
        if version == rollback_target(template.versions, group.version, group.refused):
            yield "rollback target"


def _images(inventory: Inventory, keep: int, settings: Mapping[str, str], removed: set[str]) -> Iterator[Entry]:
    ordered = sorted(inventory.images, key=lambda image: (image.created, image.id))
    newest = {image.id for image in ordered[-keep:]}
    for image in ordered:
        reasons = list(_references(inventory, image, removed))
        pinned = [stack for stack, release in settings.items() if release in (image.id, image.release)]
        reasons += [f"setting of stack {stack}" for stack in pinned]
        if image.id in newest:
            reasons.append(f"one of the newest {keep}")
        yield Entry("image", image.id, image.release, tuple(reasons))


def _references(inventory: Inventory, image: OwnImage, removed: set[str]) -> Iterator[str]:
    if count := _count(one.image == image.id for one in inventory.instances):
        yield f"{count} run from it"
    for template in inventory.templates:
        numbers = [
            str(version.number)
            for version in template.versions
            if version.image == image.id and version_id(template, version) not in removed
        ]
        if numbers:
            yield f"{template.name} version {', '.join(numbers)}"


def _snapshots(inventory: Inventory, removed: set[str], now: datetime) -> Iterator[Entry]:
    behind = {one for image in inventory.images for one in image.snapshots}
    stays = {one: image.id for image in inventory.images if image.id not in removed for one in image.snapshots}
    stays |= inventory.foreign
    for snapshot in sorted(inventory.snapshots, key=lambda one: (one.started, one.id)):
        if snapshot.id in stays:
            reasons: tuple[str, ...] = (f"behind {stays[snapshot.id]}",)
        else:
            reasons = () if snapshot.id in behind else tuple(_unused(snapshot, now))
        yield Entry("snapshot", snapshot.id, snapshot.layer, reasons)


def _unused(snapshot: OwnSnapshot, now: datetime) -> Iterator[str]:
    """Why a snapshot without an image stays."""
    if snapshot.state == "pending":
        yield f"an upload is under way; AWS gives it up {UPLOAD_MINUTES} minutes after its last block"
    elif snapshot.state == "completed" and now - snapshot.started < timedelta(minutes=UPLOAD_MINUTES):
        yield f"not {UPLOAD_MINUTES} minutes old, its image may be about to be registered"


def _newest(numbers: Iterable[int], keep: int) -> set[int]:
    return set(sorted(numbers)[-keep:])


def _count(matches: Iterable[bool]) -> str:
    """`1 instance`, `2 instances`; empty for none."""
    count = sum(matches)
    return f"{count} instance{'s' if count > 1 else ''}" if count else ""

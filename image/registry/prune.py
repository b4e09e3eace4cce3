"""Removes what the plan says that goes, and looks again before each removal: what somebody uses by then stays.

Between that look and the removal AWS offers no condition. What an image that is deregistered in this moment leaves
running goes on running: AWS, "DeregisterImage": instances launched from it stay; new ones cannot be launched from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import botocore.exceptions

from goldfleet.contract.names import Names
from image.registry import prune_plan
from image.registry.inventory import Inventory, observe
from image.registry.prune_plan import Entry

MOST_VERSIONS = 200
"""That DeleteLaunchTemplateVersions takes at once."""
_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound")


@dataclass(frozen=True)
class Pruning:
    """What is pruned, and how much stays.

    Args:
        ec2, autoscaling: boto3 clients.
        names: of the stack whose launch templates are pruned; images are the project's.
        keep: how many of the newest template versions, and of the newest images, stay in any case.
        settings: stack -> its setting `image.release`, of all stacks of the project.
        progress: takes a line of text before each removal.
    """

    ec2: Any
    autoscaling: Any
    names: Names
    keep: int
    settings: Mapping[str, str]
    progress: Callable[[str], None]

    def plan(self) -> list[Entry]:
        """What there is now, and what of it goes; changes nothing.

        Raises:
            ReleaseError: as `image.registry.prune_plan.plan`.
        """
        return self._look()[1]

    def run(self) -> list[Entry]:
        """Removes what goes; returns what was there at first, with the reasons of what has stayed.

        Raises:
            ReleaseError: as `image.registry.prune_plan.plan`, also when a rollout begins in the meantime.
        """
        first = self.plan()
        refused: dict[str, str] = {}
        for batch in _batches([entry for entry in first if entry.goes]):
            self.progress(f"removing {batch[0].kind} {', '.join(entry.id for entry in batch)}")
            inventory, now = self._look()
            goes = {entry.id for entry in now if entry.goes}
            refused |= self._remove(inventory, [entry for entry in batch if entry.id in goes])
        last = {entry.id: entry for entry in self.plan()}
        stayed = {one: (f"AWS keeps it: {reason}",) for one, reason in refused.items()}
        return [
            Entry(entry.kind, entry.id, entry.holds, stayed.get(entry.id) or last[entry.id].reasons)
            if entry.id in last
            else Entry(entry.kind, entry.id, entry.holds, ())
            for entry in first
        ]

    def _look(self) -> tuple[Inventory, list[Entry]]:
        inventory = observe(self.ec2, self.autoscaling, self.names)
        return inventory, prune_plan.plan(inventory, self.keep, self.settings, datetime.now(UTC))

    def _remove(self, inventory: Inventory, batch: list[Entry]) -> dict[str, str]:
        """Removes one batch; returns what AWS refuses to remove, and why."""
        if not batch:
            return {}
        try:
            if batch[0].kind == "template version":
                return self._remove_versions(batch)
            self._remove_one(inventory, batch[0])
        except botocore.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                return {entry.id: str(error) for entry in batch}
        return {}

    def _remove_versions(self, batch: list[Entry]) -> dict[str, str]:
        template = _template(batch[0])
        answer = self.ec2.delete_launch_template_versions(
            LaunchTemplateId=template, Versions=[entry.id.partition("/")[2] for entry in batch]
        )
        return {
            f"{template}/{one['VersionNumber']}": one["ResponseError"]["Message"]
            for one in answer.get("UnsuccessfullyDeletedLaunchTemplateVersions", ())
        }

    def _remove_one(self, inventory: Inventory, entry: Entry) -> None:
        if entry.kind == "snapshot":
            self.ec2.delete_snapshot(SnapshotId=entry.id)
            return
        behind = next(image.snapshots for image in inventory.images if image.id == entry.id)
        ours = {snapshot.id for snapshot in inventory.snapshots}
        # In one call, so that a prune that is cut off leaves no snapshot without an image.
        self.ec2.deregister_image(ImageId=entry.id, DeleteAssociatedSnapshots=ours.issuperset(behind))


def _batches(entries: list[Entry]) -> list[list[Entry]]:
    """Versions of one template together, everything else one by one; in the same order."""
    batches: list[list[Entry]] = []
    for _, group in groupby(entries, key=lambda entry: _template(entry) or entry.id):
        same = list(group)
        batches += [same[start : start + MOST_VERSIONS] for start in range(0, len(same), MOST_VERSIONS)]
    return batches


def _template(entry: Entry) -> str:
    """The launch template of a template version, empty for anything else."""
    return entry.id.partition("/")[0] if entry.kind == "template version" else ""

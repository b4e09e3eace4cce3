"""An instance refresh as the API shows it; what it does next is decided in `local.control.refresh_plan`.

AWS, API reference "InstanceRefresh": statuses, reasons, percentage complete, rollback details.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from local.control.refresh_plan import Bounds, percentage

ACTIVE = frozenset({"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"})
DEFAULTS = {
    "CheckpointDelay": 3600,
    "SkipMatching": False,
    "AutoRollback": False,
    "ScaleInProtectedInstances": "Wait",
    "StandbyInstances": "Wait",
}


@dataclass
class Refresh:
    """One instance refresh of one group.

    Args:
        group: the group's name.
        preferences: as given, with AWS's defaults.
        desired: the desired configuration; empty if none was given.
        version: number of the launch template version that new instances get.
        to_replace: ids of the instances that must go.
    """

    group: str
    preferences: dict[str, Any]
    desired: dict[str, Any]
    version: str
    to_replace: set[str]
    status: str = "Pending"
    reason: str | None = None
    start: datetime = field(default_factory=utcnow)
    end: datetime | None = None
    total: int = 0
    launched: set[str] = field(default_factory=set)
    baked_at: float | None = None
    held_until: float = 0.0
    checkpoints_passed: int = 0
    rollback: dict[str, Any] | None = None
    refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.total = len(self.to_replace)

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.preferences["MinHealthyPercentage"], self.preferences.get("MaxHealthyPercentage"))

    def holds(self, now: float) -> bool:
        """True while the refresh waits at a checkpoint; `now` in seconds, as in the clock that all calls use."""
        checkpoints, done = (
            self.preferences.get("CheckpointPercentages", []),
            percentage(self.total, len(self.to_replace)),
        )
        reached = checkpoints[self.checkpoints_passed :]
        if self.rollback is None and reached and reached[0] <= done < 100:
            self.checkpoints_passed += 1
            self.held_until = now + self.preferences["CheckpointDelay"]
        return self.rollback is None and now < self.held_until

    def turn_status(self, status: str, reason: str | None = None) -> None:
        """Moves on to another status; the last ones end the refresh."""
        self.status, self.reason = status, reason
        if not self.active:
            self.end = utcnow()

    def turn_back(self, reason: str, version: str, to_replace: set[str]) -> None:
        """Starts the rollback: what the refresh has launched goes, in favour of `version`."""
        self.rollback = {
            "RollbackReason": reason,
            "RollbackStartTime": utcnow(),
            "PercentageCompleteOnRollback": percentage(self.total, len(self.to_replace)),
            "InstancesToUpdateOnRollback": len(self.to_replace),
        }
        self.version, self.to_replace, self.launched = version, to_replace, set()
        self.turn_status("RollbackInProgress", reason)

    def to_result(self) -> dict[str, Any]:
        """As DescribeInstanceRefreshes shows it."""
        left, done = len(self.to_replace), percentage(self.total, len(self.to_replace))
        if self.rollback is not None:
            left, done = self.rollback["InstancesToUpdateOnRollback"], 100 - done
        return {
            "InstanceRefreshId": self.refresh_id,
            "AutoScalingGroupName": self.group,
            "Status": self.status,
            "StatusReason": self.reason,
            "StartTime": self.start,
            "EndTime": self.end,
            "PercentageComplete": done,
            "InstancesToUpdate": left,
            "Preferences": self.preferences,
            "DesiredConfiguration": self.desired or None,
            "RollbackDetails": self.rollback,
            "Strategy": "Rolling",
        }

"""An instance refresh as the API shows it; what it does next is decided in `local.control.refresh_plan`.

AWS, API reference "InstanceRefresh": statuses, reasons, percentage complete, rollback details.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from local.control.refresh_plan import Bounds, percentage, updated_at

ACTIVE = frozenset({"Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"})
LONGEST_STALL = 3600.0
"""Seconds without progress after which a refresh or a rollback fails, as AWS retries for an hour."""


@dataclass
class Refresh:
    """One instance refresh of one group.

    Args:
        group: the group's name.
        preferences: as given, with AWS's defaults.
        desired: the desired configuration; empty if none was given.
        version: number of the launch template version that new instances get.
        to_replace: ids of the instances that must go.
        known: ids of all instances of the group when the refresh, or its rollback, began.
    """

    group: str
    preferences: dict[str, Any]
    desired: dict[str, Any]
    version: str
    to_replace: set[str]
    known: set[str]
    status: str = "Pending"
    reason: str | None = None
    start: datetime = field(default_factory=utcnow)
    end: datetime | None = None
    total: int = 0
    updated: int = 0
    baked_at: float = 0.0
    held_until: float = 0.0
    checkpoints_passed: int = 0
    rollback: dict[str, Any] | None = None
    refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _best: int | None = None
    _best_at: float = 0.0

    def __post_init__(self) -> None:
        self.total = len(self.to_replace)

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.preferences["MinHealthyPercentage"], self.preferences.get("MaxHealthyPercentage"))

    @property
    def checkpoints(self) -> list[int]:
        """Percentages at which the refresh pauses; at the last one it ends."""
        found: list[int] = self.preferences.get("CheckpointPercentages") or [100]
        return found if self.rollback is None else [100]

    @property
    def alarms(self) -> list[str]:
        """Names of the CloudWatch alarms that fail the refresh."""
        found: list[str] = (self.preferences.get("AlarmSpecification") or {}).get("Alarms", [])
        return found

    @property
    def goal(self) -> int:
        """How many instances have to be updated until the next checkpoint."""
        return updated_at(self.checkpoints[self.checkpoints_passed], self.total)

    def pass_checkpoint(self, now: float) -> bool:
        """Begins the wait after the checkpoints that are reached; False if the last one is among them.

        Args:
            now: seconds, as in the clock that all calls use.
        """
        done = percentage(self.total, self.total - self.updated)
        passed = sum(percent <= done for percent in self.checkpoints)
        if passed >= len(self.checkpoints):
            return False
        self.checkpoints_passed = passed
        self.held_until = now + self.preferences.get("CheckpointDelay", 0)
        return True

    def count(self, total: int, updated: int) -> None:
        """Notes how many instances the refresh is about, and how many of them are updated."""
        self.total, self.updated = total, min(updated, total)

    def stalls(self, now: float) -> bool:
        """True if nothing has gone forward for so long that AWS gives up."""
        score = self.updated - len(self.to_replace)
        if self._best is None or score > self._best:
            self._best, self._best_at = score, now
        return now >= max(self._best_at, self.held_until, self.baked_at) + LONGEST_STALL

    def turn_status(self, status: str, reason: str | None = None) -> None:
        """Moves on to another status; the last ones end the refresh."""
        self.status, self.reason = status, reason
        if not self.active:
            self.end = utcnow()

    def turn_back(self, reason: str, version: str, to_replace: set[str], known: set[str]) -> None:
        """Starts the rollback: what the refresh has launched goes, in favour of `version`."""
        left = self.total - self.updated
        self.rollback = {
            "RollbackReason": reason,
            "RollbackStartTime": utcnow(),
            "PercentageCompleteOnRollback": percentage(self.total, left),
            "InstancesToUpdateOnRollback": left,
        }
        self.version, self.to_replace, self.known = version, to_replace, known
        self.total, self.updated, self.checkpoints_passed = len(to_replace), 0, 0
        self.held_until, self.baked_at, self._best = 0.0, 0.0, None
        self.turn_status("RollbackInProgress", reason)

    def to_result(self) -> dict[str, Any]:
        """As DescribeInstanceRefreshes shows it."""
        left = self.total - self.updated
        done = percentage(self.total, left)
        if self.rollback is not None:
            done = self.rollback["PercentageCompleteOnRollback"] * (100 - done) // 100
            left = self.rollback["InstancesToUpdateOnRollback"]
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

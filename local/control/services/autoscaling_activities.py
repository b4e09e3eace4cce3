"""Scaling activities: what a group did and why, in AWS's own sentences.

AWS, "Verify a scaling activity for an Auto Scaling group": description, cause, status and details of each activity.
"""

from __future__ import annotations

import json
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

KEPT = 200
"""Activities that a group remembers."""


@dataclass
class ScalingActivity:
    """One launch or termination.

    Args:
        description: for example `Launching a new EC2 instance: i-0123`.
        cause: one or more sentences that begin with `At <time>`.
        details: subnet and zone.
        status: AWS's status code.
        message: why it failed.
    """

    description: str
    cause: str
    details: dict[str, str]
    status: str = "Successful"
    message: str | None = None
    start: datetime = field(default_factory=utcnow)
    end: datetime | None = None
    activity_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def finish(self) -> None:
        """The instance is in service, or gone."""
        self.status, self.end = "Successful", utcnow()

    def fail(self, message: str) -> None:
        """The instance was given up."""
        self.status, self.end, self.message = "Failed", utcnow(), message

    def to_result(self, group: str) -> dict[str, Any]:
        """As DescribeScalingActivities shows it."""
        done = self.status in {"Successful", "Failed", "Cancelled"}
        return {
            "ActivityId": self.activity_id,
            "AutoScalingGroupName": group,
            "Description": self.description,
            "Cause": self.cause,
            "StartTime": self.start,
            "EndTime": (self.end or self.start) if done else None,
            "StatusCode": self.status,
            "StatusMessage": self.message,
            "Progress": 100 if done else 50,
            "Details": json.dumps(self.details),
        }


class Activities:
    """The latest activities of one group, and the last thing that changed its desired capacity."""

    def __init__(self) -> None:
        self._kept: deque[ScalingActivity] = deque(maxlen=KEPT)
        self._wish = ""

    def wish(self, sentence: str) -> None:
        """Notes what changed the desired capacity; the next launches and terminations are caused by it."""
        self._wish = f"At {_now()} {sentence}"

    def launched(self, instance_id: str, details: dict[str, str], before: int, after: int) -> ScalingActivity:
        """Notes a launch that brings the group from `before` to `after` instances."""
        reason = f"an instance was started in response to a difference between desired and actual capacity, increasing the capacity from {before} to {after}."  # noqa: E501  AWS's sentence
        activity = ScalingActivity(f"Launching a new EC2 instance: {instance_id}", self._because(reason), details)
        self._add(activity)
        return activity

    def launch_failed(self, message: str, details: dict[str, str]) -> None:
        """Notes a launch that EC2 refused."""
        reason = "an instance was started in response to a difference between desired and actual capacity."
        activity = ScalingActivity(
            "Launching a new EC2 instance",
            self._because(reason),
            details,
            "Failed",
            f"{message} Launching EC2 instance failed.",
        )
        self._add(activity)

    def terminating(self, instance_id: str, details: dict[str, str], reason: str) -> ScalingActivity:
        """Notes that an instance leaves; `finish` the activity when it is gone."""
        description = f"Terminating EC2 instance: {instance_id}"
        activity = ScalingActivity(description, self._because(reason), details, "WaitingForELBConnectionDraining")
        self._add(activity)
        return activity

    def to_results(self, group: str) -> list[dict[str, Any]]:
        """The activities, newest first."""
        return [activity.to_result(group) for activity in reversed(self._kept)]

    def _because(self, reason: str) -> str:
        return "  ".join(part for part in (self._wish, f"At {_now()} {reason}") if part)

    def _add(self, activity: ScalingActivity) -> None:
        self._kept.append(activity)


def _now() -> str:
    return utcnow().strftime("%Y-%m-%dT%H:%M:%SZ")

"""Lifecycle hooks: what holds an instance in Pending:Wait or Terminating:Wait, and for how long.

AWS, "Amazon EC2 Auto Scaling lifecycle hooks" and the API reference of LifecycleHook: a hook waits for
CompleteLifecycleAction until its heartbeat timeout, which RecordLifecycleActionHeartbeat extends up to the global
timeout; then its default result counts. One ABANDON ends the wait, CONTINUE has to come from all.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import LifecycleHook

Result = Literal["CONTINUE", "ABANDON"]

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
HEARTBEAT = range(30, 7201)
LONGEST_WAIT, MOST_HEARTBEATS = 172800, 100


class Hook(LifecycleHook):
    """A hook as it was put; `notification_target_arn` is kept and never sent to."""

    notification_metadata: str | None = None

    def __init__(
        self, name: str, as_name: str, transition: str | None, timeout: int | None, result: str | None
    ) -> None:
        super().__init__(name, as_name, transition, timeout, result)
        if transition not in {LAUNCHING, TERMINATING}:
            raise ValidationError(f"LifecycleTransition must be {LAUNCHING} or {TERMINATING}")
        if self.heartbeat_timeout not in HEARTBEAT:
            raise ValidationError("HeartbeatTimeout must be between 30 and 7200 seconds")
        if self.default_result not in {"CONTINUE", "ABANDON"}:
            raise ValidationError("DefaultResult must be CONTINUE or ABANDON")
        self.global_timeout = min(LONGEST_WAIT, MOST_HEARTBEATS * self.heartbeat_timeout)
        self.role_arn = self.notification_target_arn = None  # type: ignore[assignment]  # moto invents them


@dataclass
class LifecycleAction:
    """One instance that waits for one hook.

    Args:
        hook: the hook's name.
        heartbeat: seconds that each heartbeat adds.
        longest: seconds that it may last in all.
        default: what counts if nobody answers.
        began: seconds of the clock that all calls use.
    """

    hook: str
    heartbeat: float
    longest: float
    default: Result
    began: float
    answer: Result | None = None
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    _until: float = 0.0

    def __post_init__(self) -> None:
        self.beat(self.began)

    def beat(self, now: float) -> None:
        """Extends the wait."""
        self._until = min(now + self.heartbeat, self.began + self.longest)

    def result(self, now: float) -> Result | None:
        """What came out, None while it waits."""
        return self.answer or (self.default if now >= self._until else None)

    def message(self) -> str:
        """Why an instance was given up, in AWS's words."""
        cause = "Lifecycle Action Completed with ABANDON Result" if self.answer else "Heartbeat Timeout"
        return (
            "Instance failed to complete user's Lifecycle Action: "
            f"Lifecycle Action with token {self.token} was abandoned: {cause}"
        )


def begin_actions(hooks: Iterable[LifecycleHook], transition: str) -> list[LifecycleAction]:
    """The actions that an instance waits for when it goes through `transition`."""
    now = time.monotonic()
    return [
        LifecycleAction(
            hook.name,
            hook.heartbeat_timeout,
            hook.global_timeout,
            "CONTINUE" if hook.default_result == "CONTINUE" else "ABANDON",
            now,
        )
        for hook in hooks
        if hook.lifecycle_transition == transition
    ]


def outcome(actions: Iterable[LifecycleAction], now: float) -> Result | None:
    """What came out of all actions of one instance, None while it waits."""
    results = {action.result(now) for action in actions}
    if "ABANDON" in results:
        return "ABANDON"
    return None if None in results else "CONTINUE"

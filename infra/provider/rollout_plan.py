"""States of a refresh and of the clones -> the next step. Decides only.

Source: AWS, "Use an instance refresh to update instances in an Auto Scaling group" (statuses) and "Undo changes with a
manual or auto rollback".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from infra.provider.group import Group
from infra.provider.template_versions import Goal, Version

UNDER_WAY = frozenset({"Pending", "InProgress", "Baking"})
ENDING = frozenset({"Cancelling", "RollbackInProgress"})
UNDONE = frozenset({"RollbackSuccessful", "RollbackFailed"})


@dataclass(frozen=True)
class Refresh:
    """An instance refresh.

    Args:
        id: its id.
        status: as AWS says.
        reason: AWS's words for it, may be empty.
        template: id and number of the version it brings; empty strings if it names none.
        started: when.
        alarms: names of the alarms that may turn it round.
    """

    id: str
    status: str
    reason: str
    template: Version
    started: datetime
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What to do now: `start` a refresh, `wait`, `roll_back` the one that does no good, `cancel` the one that is in
    the way, or it is `done` or `failed`.

    Args:
        action: one of these.
        text: for the person: how far it is, or why it failed.
    """

    action: Literal["start", "wait", "roll_back", "cancel", "done", "failed"]
    text: str


def next_step(goal: Goal, group: Group, latest: Refresh | None, followed: str, objection: str) -> Step:
    """The next step towards a fleet that runs one version and is healthy.

    Args:
        goal: the launch template's version.
        group: as it is now.
        latest: the group's newest refresh, None if it never had one.
        followed: id of the refresh that this rollout has started or joined, empty so far.
        objection: what speaks against the version, empty unless something does.
    """
    if latest is not None and latest.status in UNDER_WAY | ENDING:
        return _beside(goal, group, latest, objection)
    ended = latest if latest is not None and latest.id == followed else None
    if ended is not None and ended.status != "Successful":
        return Step("failed", failure(ended, objection))
    if on_version(goal, group):
        return Step("done" if group.settled else "wait", progress(goal, group))
    return Step("wait" if ended else "start", progress(goal, group))


def _beside(goal: Goal, group: Group, active: Refresh, objection: str) -> Step:
    """While a refresh is active no other can start: it is ours or it must end first."""
    if active.status in ENDING:
        turned = f"rolling back, {_counts(group.template, group)}"
        return Step("wait", turned if active.status == "RollbackInProgress" else "waiting until a refresh is cancelled")
    if active.template not in goal.same:
        return Step("cancel", f"cancelling the refresh to version {active.template[1] or 'unknown'}")
    if objection:
        return Step("roll_back", f"rolling back: {objection}")
    watched = ", watched for a while" if active.status == "Baking" else ""
    return Step("wait", progress(goal, group) + watched)


def on_version(goal: Goal, group: Group) -> bool:
    """True if every clone runs the version and new ones will."""
    return group.template in goal.same and all(clone.template in goal.same for clone in group.clones)


def version_to_start(goal: Goal, group: Group) -> Version:
    """Which of the equal versions a refresh names: the group's own if it is one, so that its clones are left alone."""
    return group.template if group.template in goal.same else goal.version


def untold(goal: Goal, latest: Refresh | None, told: str) -> str:
    """Id of a refresh to this very version that AWS has rolled back while nobody looked; empty if there is none.

    It is joined, so that the next `up` tells why it failed instead of trying the same again.

    Args:
        told: id of the refresh that an `up` before has told of.
    """
    if latest is None or latest.status not in UNDONE or latest.template != goal.version or latest.id == told:
        return ""
    return latest.id


def progress(goal: Goal, group: Group) -> str:
    """How far it is: "2 of 4 clones on version 7, 3 healthy"."""
    return _counts(version_to_start(goal, group), group)


def _counts(version: Version, group: Group) -> str:
    there = sum(clone.template == version and clone.in_service and clone.healthy for clone in group.clones)
    return f"{there} of {group.desired} clones on version {version[1]}, {group.healthy} healthy"


def failure(refresh: Refresh, objection: str) -> str:
    """Why the fleet is not on the version: what we saw, else AWS's words."""
    number = refresh.template[1]
    because = objection or refresh.reason.rstrip(".") or "AWS gives no reason"
    if refresh.status == "RollbackSuccessful":
        return f"version {number} is rolled back: {because}"
    return f"the refresh to version {number} ended as {refresh.status}: {because}"

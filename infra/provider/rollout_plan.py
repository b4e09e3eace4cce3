"""States of a refresh and of the clones -> the next step. Decides only.

Source: AWS, "Use an instance refresh to update instances in an Auto Scaling group" (statuses).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.provider.group import Group

UNDER_WAY = frozenset({"Pending", "InProgress", "Baking"})
ENDING = frozenset({"Cancelling", "RollbackInProgress"})


@dataclass(frozen=True)
class Refresh:
    """An instance refresh.

    Args:
        id: its id.
        status: as AWS says.
        reason: AWS's words for it, may be empty.
        template: id and number of the version it brings; empty strings if it names none.
    """

    id: str
    status: str
    reason: str
    template: tuple[str, str]


@dataclass(frozen=True)
class Step:
    """What to do now: `start` a refresh, `wait`, `cancel` the refresh that is in the way, or it is `done` or `failed`.

    Args:
        action: one of these.
        text: for the person: how far it is, or why it failed.
    """

    action: Literal["start", "wait", "cancel", "done", "failed"]
    text: str


def next_step(wanted: tuple[str, str], group: Group, latest: Refresh | None, followed: str | None) -> Step:
    """The next step towards a fleet that runs one version and is healthy.

    Args:
        wanted: id and number of the launch template's version.
        group: as it is now.
        latest: the group's newest refresh, None if it never had one.
        followed: id of the refresh that this rollout has started or joined, None so far.
    """
    if latest is not None and latest.status in UNDER_WAY | ENDING:
        return _beside(wanted, group, latest)
    ended = latest if latest is not None and latest.id == followed else None
    if ended is not None and ended.status != "Successful":
        return Step("failed", failure(wanted, ended))
    if on_version(wanted, group):
        return Step("done" if group.settled else "wait", progress(wanted, group))
    return Step("wait" if ended else "start", progress(wanted, group))


def _beside(wanted: tuple[str, str], group: Group, active: Refresh) -> Step:
    """While a refresh is active no other can start: it is ours or it must end first."""
    if active.status in ENDING:
        return Step("wait", f"waiting until the refresh before is over ({active.status})")
    if active.template != wanted:
        return Step("cancel", f"cancelling the refresh to version {active.template[1] or 'unknown'}")
    return Step("wait", progress(wanted, group))


def on_version(wanted: tuple[str, str], group: Group) -> bool:
    """True if every clone runs the version and new ones will."""
    return group.template == wanted and all(clone.template == wanted for clone in group.clones)


def progress(wanted: tuple[str, str], group: Group) -> str:
    """How far it is: "2 of 4 clones on version 7, 3 healthy"."""
    replaced = sum(clone.template == wanted and clone.in_service for clone in group.clones)
    return f"{replaced} of {group.desired} clones on version {wanted[1]}, {group.healthy} healthy"


def failure(wanted: tuple[str, str], refresh: Refresh) -> str:
    """Why the fleet is not on the version, as AWS says it."""
    reason = f": {refresh.reason.rstrip('.')}" if refresh.reason else ""
    return f"the refresh to version {wanted[1]} ended as {refresh.status}{reason}"

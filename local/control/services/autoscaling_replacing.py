"""Replaces healthy instances that must go all the same: too old, in a subnet that the group has left, or one too many.

AWS, "Replace Auto Scaling instances based on maximum instance lifetime": one at a time, with a pause, within the
instance maintenance policy, and without one the old goes first. AWS, "Amazon EC2 Auto Scaling instance distribution":
rebalancing launches before it terminates.
"""

from __future__ import annotations

import time
from collections import Counter

from local.control.refresh_plan import Bounds, RefreshMember, next_step
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_member import Member, Replacement

REBALANCING = Bounds(100, 110)
LIFETIME = "an instance was taken out of service in response to maximum instance lifetime."
REBALANCED = "an instance was taken out of service in response to an availability zone rebalancing."
UNEVEN = 2
"""Difference between two subnets from which a group is rebalanced."""


def keep_whole(group: Group) -> bool:
    """One look at a group that is not being refreshed; True if anything was done."""
    due = group.replacement = _under_way(group) or _due(group)
    if due is None:
        return group.keep_capacity()
    members = [
        RefreshMember(member.instance_id, member is due.member, _is_ready(group, member)) for member in group.present
    ]
    step = next_step(members, 0, group.desired_capacity or 0, due.bounds)
    launched = group.launch(step.launch, due.subnets, {due.member.instance_id}) if step.launch else 0
    ended = [group.terminate(instance_id, due.cause) for instance_id in step.terminate]
    return bool(launched or any(ended))


def _under_way(group: Group) -> Replacement | None:
    """The replacement whose new instance is there already, unless the capacity was changed meanwhile."""
    due = group.replacement
    return due if due is not None and due.member in group.present and _surplus(group) == 1 else None


def _due(group: Group) -> Replacement | None:
    """What a group that is whole and at rest has to replace."""
    pauses = any(member.leaving for member in group.members)
    if _surplus(group) != 0 or pauses or not all(_is_ready(group, member) for member in group.present):
        return None
    return _too_old(group) or _misplaced(group)


def _surplus(group: Group) -> int:
    return len(group.present) - (group.desired_capacity or 0)


def _is_ready(group: Group, member: Member) -> bool:
    return group.is_healthy(member) and time.monotonic() >= member.launched + group.warmup


def _too_old(group: Group) -> Replacement | None:
    old = [
        member for member in _free(group) if group.max_instance_lifetime and member.age >= group.max_instance_lifetime
    ]
    if not old:
        return None
    policy = group.instance_maintenance_policy or {}
    least, most = policy.get("MinHealthyPercentage", -1), policy.get("MaxHealthyPercentage", -1)
    bounds = Bounds() if least < 0 else Bounds(least, most)
    oldest = max(old, key=lambda member: member.age)
    return Replacement(oldest, LIFETIME, bounds, group.subnets)


def _misplaced(group: Group) -> Replacement | None:
    free = sorted(_free(group), key=group.leaves_first)
    if group.is_suspended("AZRebalance") or not free:
        return None
    load = Counter(dict.fromkeys(group.subnets, 0))
    load.update(member.placed.subnet for member in group.present if member.placed.subnet in load)
    emptiest = min(group.subnets, key=lambda subnet: load[subnet])
    outside = next((member for member in free if member.placed.subnet not in load), None)
    uneven = load[free[0].placed.subnet] - load[emptiest] >= UNEVEN
    if outside is not None:
        return Replacement(outside, REBALANCED, REBALANCING, group.subnets)
    if uneven and group.accepts(emptiest):
        return Replacement(free[0], REBALANCED, REBALANCING, [emptiest])
    return None


def _free(group: Group) -> list[Member]:
    return [member for member in group.in_service if not member.protected_from_scale_in]

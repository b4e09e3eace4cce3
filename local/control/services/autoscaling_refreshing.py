"""Carries instance refreshes out: looks at the group, asks `refresh_plan` for the next step, and does it."""

from __future__ import annotations

import time

from local.control.refresh_plan import RefreshMember, RefreshStep, next_step
from local.control.services.autoscaling_group import Group, Member
from local.control.services.autoscaling_refresh import Refresh


def move_on(group: Group, refresh: Refresh) -> bool:
    """One step of an active refresh; True if it changed anything."""
    if refresh.status == "Pending":
        refresh.turn_status("InProgress")
        return True
    if refresh.status == "Cancelling":
        return _finish_cancel(group, refresh)
    if refresh.status == "Baking":
        return _finish_baking(group, refresh)
    return _carry_out(group, refresh, _next(group, refresh))


def roll_back(group: Group, refresh: Refresh, reason: str) -> None:
    """Turns a refresh round: new instances get the group's own version again."""
    version = str(group.launch_template_version)
    replaced = {member.instance_id for member in group.in_service if member.instance_id in refresh.launched}
    refresh.turn_back(reason, version, replaced)


def _next(group: Group, refresh: Refresh) -> RefreshStep:
    members = [_member(group, refresh, member) for member in group.in_service]
    refresh.to_replace &= {member.instance_id for member in members}
    leaving = sum(member.leaving is not None for member in group.members)
    return next_step(members, leaving, group.desired_capacity or 0, refresh.bounds)


def _carry_out(group: Group, refresh: Refresh, step: RefreshStep) -> bool:
    if step.overdue is not None:
        _give_up(group, refresh, f"Instance {step.overdue} did not become healthy in time")
        return True
    if step.done:
        _succeed(group, refresh)
        return True
    if refresh.holds(time.monotonic()):
        return False
    group.refresh_version = refresh.version
    before = {member.instance_id for member in group.in_service}
    launched = group.launch(step.launch) if step.launch else 0
    refresh.launched |= {member.instance_id for member in group.in_service} - before
    for instance_id in step.terminate:
        group.terminate(instance_id, "an instance was taken out of service in response to an instance refresh.")
    return bool(launched or step.terminate)


def _member(group: Group, refresh: Refresh, member: Member) -> RefreshMember:
    old = member.instance_id in refresh.to_replace
    healthy = group.is_healthy(member)
    if old or member.instance_id not in refresh.launched:
        return RefreshMember(member.instance_id, old, healthy)
    warm_at = member.launched + refresh.preferences["InstanceWarmup"]
    overdue = not healthy and time.monotonic() >= warm_at + (group.health_check_grace_period or 0)
    return RefreshMember(member.instance_id, old, healthy and time.monotonic() >= warm_at, overdue)


def _succeed(group: Group, refresh: Refresh) -> None:
    bake_time = refresh.preferences.get("BakeTime", 0)
    if refresh.status == "InProgress" and bake_time:
        refresh.baked_at = time.monotonic() + bake_time
        refresh.turn_status("Baking", f"Waiting for the bake time of {bake_time} seconds")
        return
    _end(group, refresh)


def _finish_baking(group: Group, refresh: Refresh) -> bool:
    if refresh.baked_at is None or time.monotonic() < refresh.baked_at:
        return False
    _end(group, refresh)
    return True


def _end(group: Group, refresh: Refresh) -> None:
    group.refresh_version = None
    if refresh.status == "RollbackInProgress":
        refresh.turn_status("RollbackSuccessful", refresh.reason)
        return
    if refresh.desired:
        group.launch_template_version = refresh.version
        group.provided_launch_template_version = refresh.version
    refresh.turn_status("Successful")


def _give_up(group: Group, refresh: Refresh, reason: str) -> None:
    group.refresh_version = None
    if refresh.status == "RollbackInProgress":
        refresh.turn_status("RollbackFailed", reason)
    elif refresh.preferences["AutoRollback"]:
        roll_back(group, refresh, f"Instance refresh failed: {reason}")
    else:
        refresh.turn_status("Failed", reason)


def _finish_cancel(group: Group, refresh: Refresh) -> bool:
    if any(member.leaving for member in group.members):
        return False
    group.refresh_version = None
    refresh.turn_status("Cancelled", "Cancelled due to user request.")
    return True

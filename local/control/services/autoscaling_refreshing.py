"""Carries instance refreshes out: looks at the group, asks `refresh_plan` for the next step, and does it.

AWS, "Undo changes with a manual or auto rollback": a refresh turns round when it fails or when one of its alarms goes
into ALARM, the bake time included. An instance that fails its health checks is replaced, and the refresh tries again
until nothing has gone forward for an hour.
"""

from __future__ import annotations

import time

from local.control.refresh_plan import RefreshMember, RefreshStep, next_step
from local.control.services.autoscaling_alarms import alarm_in_alarm
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_member import Member
from local.control.services.autoscaling_refresh import Refresh

REASON = "an instance was taken out of service in response to an instance refresh."


def move_on(group: Group, refresh: Refresh) -> bool:
    """One step of an active refresh; True if it changed anything."""
    if refresh.status == "Cancelling":
        return _finish_cancel(group, refresh)
    if group.is_suspended("InstanceRefresh"):
        return False
    if refresh.status == "Pending":
        group.refresh_version = refresh.version
        refresh.turn_status("InProgress")
        return True
    return _fail_by_alarm(group, refresh) or _go_on(group, refresh, time.monotonic())


def roll_back(group: Group, refresh: Refresh, reason: str) -> None:
    """Turns a refresh round: what it has launched goes, and new instances get the group's own version again."""
    version = str(group.launch_template_version)
    there = {member.instance_id for member in group.present}
    refresh.turn_back(reason, version, there - refresh.known, there)
    group.refresh_version = version


def cancel(group: Group, refresh: Refresh, wait: bool) -> None:
    """Stops a refresh or its rollback where it is; with `wait` only once no instance comes or goes."""
    group.refresh_version = None
    refresh.turn_status("Cancelling", "Cancellation was requested by the user.")
    if not wait:
        refresh.turn_status("Cancelled", "Cancelled due to user request.")


def _fail_by_alarm(group: Group, refresh: Refresh) -> bool:
    alarm = alarm_in_alarm(group, refresh.alarms)
    if alarm is None or refresh.rollback is not None:
        return False
    _give_up(group, refresh, f"CloudWatch alarm {alarm.name} is in the ALARM state: {alarm.state_reason}")
    return True


def _go_on(group: Group, refresh: Refresh, now: float) -> bool:
    step = _next(group, refresh)
    if refresh.stalls(now):
        _give_up(group, refresh, refresh.reason or "Nothing has gone forward for an hour.")
        return True
    if refresh.status == "Baking":
        return step.done and now >= refresh.baked_at and _end(group, refresh)
    if now < refresh.held_until:
        return group.keep_capacity()
    if step.done:
        return refresh.pass_checkpoint(now) or _succeed(group, refresh, now)
    return _carry_out(group, refresh, step)


def _next(group: Group, refresh: Refresh) -> RefreshStep:
    there = sorted(group.present, key=group.leaves_first)
    refresh.to_replace &= {member.instance_id for member in there}
    members = [_member(group, refresh, member) for member in there]
    leaving = sum(member.leaving for member in group.members)
    desired = group.desired_capacity or 0
    replaced = [member for member in members if member.instance_id not in refresh.known]
    skipped = sum(not member.old for member in members) - len(replaced)
    if refresh.rollback is None:
        refresh.count(max(0, desired - skipped), sum(member.ready for member in replaced))
        refresh.reason = _waits_for(group, members) if refresh.status == "InProgress" else refresh.reason
        return next_step(members, leaving, desired, refresh.bounds, skipped + refresh.goal)
    refresh.count(refresh.total, refresh.total - len(refresh.to_replace))
    return next_step(members, leaving, desired, refresh.bounds)


def _member(group: Group, refresh: Refresh, member: Member) -> RefreshMember:
    old = member.instance_id in refresh.to_replace
    waits = refresh.preferences["ScaleInProtectedInstances"] == "Wait" and refresh.rollback is None
    ready = group.is_healthy(member) and (member.instance_id in refresh.known or _is_warm(refresh, member))
    return RefreshMember(member.instance_id, old, ready, old and waits and bool(member.protected_from_scale_in))


def _is_warm(refresh: Refresh, member: Member) -> bool:
    return time.monotonic() >= member.launched + float(refresh.preferences["InstanceWarmup"])


def _waits_for(group: Group, members: list[RefreshMember]) -> str | None:
    """What keeps the refresh from going on, in AWS's words as far as they are known."""
    by_id = {member.instance_id: member for member in group.present}
    waiting = next((by_id[member.instance_id] for member in members if not member.old and not member.ready), None)
    if waiting is None:
        held = next((member.instance_id for member in members if member.held), None)
        return held and f"Waiting for instances that are protected from scale in. For example: {held}"
    state = "is warming up"
    if not group.is_healthy(waiting):
        unhealthy = "unhealthy" in group.target_states(waiting)
        state = (
            f"{'fails' if unhealthy else 'has insufficient data to evaluate'} its health with Elastic Load Balancing"
        )
    return f"Waiting for remaining instances to be available. For example: {waiting.instance_id} {state}."


def _carry_out(group: Group, refresh: Refresh, step: RefreshStep) -> bool:
    launched = group.launch(step.launch, going=refresh.to_replace) if step.launch else 0
    ended = [group.terminate(instance_id, REASON) for instance_id in step.terminate]
    if refresh.preferences["StandbyInstances"] == "Terminate":
        ended += [group.terminate(member.instance_id, REASON) for member in group.in_standby]
    return bool(launched or any(ended))


def _succeed(group: Group, refresh: Refresh, now: float) -> bool:
    bake_time = refresh.preferences.get("BakeTime", 0)
    if refresh.status == "InProgress" and bake_time and refresh.total:
        refresh.baked_at = now + bake_time
        refresh.turn_status("Baking", f"Waiting for the bake time of {bake_time} seconds")
        return True
    return _end(group, refresh)


def _end(group: Group, refresh: Refresh) -> bool:
    group.refresh_version = None
    if refresh.status == "RollbackInProgress":
        refresh.turn_status("RollbackSuccessful", refresh.reason)
        return True
    if refresh.desired:
        group.launch_template_version = refresh.version
        group.provided_launch_template_version = refresh.version
    refresh.turn_status("Successful")
    return True


def _give_up(group: Group, refresh: Refresh, reason: str) -> None:
    if refresh.status != "RollbackInProgress" and refresh.preferences["AutoRollback"]:
        roll_back(group, refresh, f"Instance refresh failed: {reason}")
        return
    group.refresh_version = None
    refresh.turn_status("RollbackFailed" if refresh.rollback else "Failed", reason)


def _finish_cancel(group: Group, refresh: Refresh) -> bool:
    if any(member.leaving for member in group.members):
        return False
    refresh.turn_status("Cancelled", "Cancelled due to user request.")
    return True

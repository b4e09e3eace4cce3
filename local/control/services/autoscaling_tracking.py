"""What an alarm makes a scaling policy do: looks at the group, asks `scaling_plan`, moves the desired capacity.

AWS, "How target tracking scaling works", "Multiple target tracking scaling policies" (out for any, in only for all),
"Suspend and resume processes" (AlarmNotification).
"""

from __future__ import annotations

import time
from dataclasses import replace

from moto.autoscaling.models import autoscaling_backends
from moto.cloudwatch.models import Alarm

from local.control.alarm_plan import ALARM
from local.control.scaling_plan import Capacity, Tracking, adjust, scale_in, scale_out, step
from local.control.services.autoscaling_backend import Groups
from local.control.services.autoscaling_group import Group
from local.control.services.autoscaling_member import Member
from local.control.services.autoscaling_policies import Policy, policies_of


def ring(alarm: Alarm, policy_arn: str) -> bool:
    """Carries out the policy that an alarm in state ALARM names; True if the desired capacity has moved."""
    found = _find(policy_arn)
    if found is None:
        return False
    backend, policy = found
    group = backend.group(policy.auto_scaling_group_name)
    if not policy.enabled or group.is_suspended("AlarmNotification"):
        return False
    wanted, before = _wanted(backend, group, policy, alarm), group.desired_capacity
    if wanted == before:
        return False
    group.desired_capacity = wanted
    group.activities.wish(
        f"a monitor alarm {alarm.name} in state ALARM triggered policy {policy.name} changing the desired capacity "
        f"from {before} to {wanted}."
    )
    return True


def is_warm(group: Group, member: Member, warmup: int | None = None) -> bool:
    """Whether an instance's load counts for its group; `warmup`: the policy's own, in seconds.

    Without either it is the group's cooldown, as AWS does it.
    """
    told = (warmup, group.default_instance_warmup, group.default_cooldown)
    return time.monotonic() >= member.launched + next(seconds for seconds in told if seconds is not None)


def _find(arn: str) -> tuple[Groups, Policy] | None:
    for account in autoscaling_backends.values():
        for backend in account.values():
            for policy in backend.policies.values():
                if policy.arn == arn and isinstance(policy, Policy) and isinstance(backend, Groups):
                    return backend, policy
    return None


def _wanted(backend: Groups, group: Group, policy: Policy, alarm: Alarm) -> int:
    capacity = _capacity(group, policy)
    match policy.policy_type:
        case "TargetTrackingScaling" if alarm.name == policy.low:
            return _fewer(capacity, policy, policies_of(backend, group.name))
        case "TargetTrackingScaling":
            tracking = _tracking(policy)
            return scale_out(capacity, tracking) if tracking else capacity.desired
        case "StepScaling":
            return _stepped(capacity, policy, alarm)
        case "SimpleScaling":
            return _simple(capacity, policy, policies_of(backend, group.name))
        case _:
            return capacity.desired


def _capacity(group: Group, policy: Policy) -> Capacity:
    warmup = policy.estimated_instance_warmup
    own = None if warmup is None else int(warmup)
    warm = sum(is_warm(group, member, own) for member in group.in_service)
    return Capacity(group.min_size or 0, group.max_size or 0, group.desired_capacity or 0, warm)


def _tracking(policy: Policy) -> Tracking | None:
    alarm = policy.alarm(policy.high)
    metric = policy.watch.newest(alarm) if alarm else None
    return None if metric is None else Tracking(metric, float(policy.tracking["TargetValue"]))


def _fewer(capacity: Capacity, policy: Policy, policies: list[Policy]) -> int:
    """One less if all policies agree; the first of them acts for all, so that it is one a minute."""
    tracking = [each for each in policies if each.tracking and each.enabled]
    agreeing = [each for each in tracking if each.low]
    busy = any(_rings(each, each.high) for each in tracking)
    if policy is not agreeing[0] or busy or not all(_rings(each, each.low) for each in agreeing):
        return capacity.desired
    known = [found for each in agreeing if (found := _tracking(each))]
    return scale_in(capacity, known) if len(known) == len(agreeing) else capacity.desired


def _rings(policy: Policy, name: str) -> bool:
    alarm = policy.alarm(name)
    return alarm is not None and alarm.state_value == ALARM


def _stepped(capacity: Capacity, policy: Policy, alarm: Alarm) -> int:
    """Instances that warm up are on their way: a step out counts from the warm ones, a step in waits for them."""
    metric = policy.watch.newest(alarm)
    if metric is None:
        return capacity.desired
    adjustment = step(policy.steps, metric - float(alarm.threshold))
    least = int(policy.min_adjustment_magnitude or 0)
    if capacity.warm >= capacity.desired:
        return adjust(capacity, policy.adjustment_type, adjustment, least)
    warm = replace(capacity, desired=capacity.warm)
    return max(capacity.desired, adjust(warm, policy.adjustment_type, adjustment, least))


def _simple(capacity: Capacity, policy: Policy, policies: list[Policy]) -> int:
    """Nothing while any simple policy of the group cools down."""
    now = time.monotonic()
    if any(now < each.cooling_until for each in policies):
        return capacity.desired
    policy.cooling_until = now + (policy.cooldown or 0)
    least = int(policy.min_adjustment_magnitude or 0)
    return adjust(capacity, policy.adjustment_type, policy.scaling_adjustment or 0, least)

"""Alarms act on scaling policies, as long as they ring.

AWS, "Alarm actions": an action that scales is repeated each minute while the alarm is in its state.
"""

from __future__ import annotations

from collections.abc import Iterator

from moto.cloudwatch.models import cloudwatch_backends

from local.control.alarm_plan import ALARM
from local.control.services.autoscaling_tracking import ring
from local.control.services.cloudwatch_backend import Watch


def settle() -> bool:
    """Evaluates all alarms, if a minute has passed, and does what they ask for; True if a capacity was moved."""
    moved = [
        ring(alarm, arn)
        for watch in list(_all())
        for alarm in watch.evaluate()
        if alarm.state_value == ALARM and alarm.actions_enabled
        for arn in alarm.alarm_actions
        if ":scalingPolicy:" in arn
    ]
    return any(moved)


def _all() -> Iterator[Watch]:
    for account in cloudwatch_backends.values():
        yield from (watch for watch in account.values() if isinstance(watch, Watch))

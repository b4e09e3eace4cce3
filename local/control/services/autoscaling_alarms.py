"""The CloudWatch alarms that an instance refresh watches.

AWS, API reference "AlarmSpecification": up to ten alarms, by name; one in ALARM fails the refresh.
"""

from __future__ import annotations

from collections.abc import Sequence

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.cloudwatch.models import Alarm, cloudwatch_backends

MOST_ALARMS = 10


def alarm_in_alarm(group: FakeAutoScalingGroup, names: Sequence[str]) -> Alarm | None:
    """The first of these alarms that is in the ALARM state; one that is gone is not."""
    known = _alarms(group)
    return next((known[name] for name in names if name in known and known[name].state_value == "ALARM"), None)


def check_alarms(group: FakeAutoScalingGroup, names: Sequence[str]) -> None:
    """ValidationError if these alarms cannot watch a refresh that starts now."""
    if len(names) > MOST_ALARMS:
        raise ValidationError(f"You can specify up to {MOST_ALARMS} alarms")
    known = _alarms(group)
    missing = [name for name in names if name not in known]
    if missing:
        raise ValidationError(f"The following CloudWatch alarms do not exist: {', '.join(missing)}")
    alarm = alarm_in_alarm(group, names)
    if alarm is not None:
        raise ValidationError(
            f"The instance refresh cannot start while CloudWatch alarm {alarm.name} is in the ALARM state: "
            f"{alarm.state_reason}"
        )


def _alarms(group: FakeAutoScalingGroup) -> dict[str, Alarm]:
    return cloudwatch_backends[group.account_id][group.region].alarms

"""Which alarms of CloudWatch ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def ringing(cloudwatch: Any, names: Sequence[str]) -> Mapping[str, str]:
    """Those of the named alarms that are in the state ALARM, and why, in CloudWatch's words.

    Args:
        cloudwatch: boto3 client.
        names: at most 100; without any nobody is asked, for AWS would then tell of every alarm of the account.
    """
    if not names:
        return {}
    found = cloudwatch.describe_alarms(AlarmNames=list(names))["MetricAlarms"]
    rung = [alarm for alarm in found if alarm["StateValue"] == "ALARM"]
    return {alarm["AlarmName"]: alarm.get("StateReason", "").rstrip(".") for alarm in rung}

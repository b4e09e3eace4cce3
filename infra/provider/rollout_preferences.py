"""How a refresh is carried out: AWS's preferences from the rollout's inputs. Decides only.

Source: AWS, API reference "RefreshPreferences"; "Add checkpoints to an instance refresh": a checkpoint is reached once
at least its percentage of the group is new, so that 1 % is the first clone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from goldfleet.servicer import Values
from infra.replacement import LEAST_HEALTHY_PERCENT, MOST_HEALTHY_PERCENT

CANARY_PERCENT = 1
FIXED: dict[str, Any] = {
    "MinHealthyPercentage": LEAST_HEALTHY_PERCENT,
    "MaxHealthyPercentage": MOST_HEALTHY_PERCENT,
    "SkipMatching": True,
    "AutoRollback": True,
    "ScaleInProtectedInstances": "Ignore",
    "StandbyInstances": "Terminate",
}


def preferences(inputs: Values, ringing: Collection[str]) -> dict[str, Any]:
    """The preferences of one refresh.

    Args:
        inputs: of the rollout: `warmUpSeconds`, `canarySeconds` (0: no checkpoint), `bakeSeconds`, `alarmNames`.
        ringing: names of the alarms that ring already. AWS would refuse the refresh, and what mends a fleet is often
            the very release that begins now.
    """
    chosen = {**FIXED, "InstanceWarmup": inputs["warmUpSeconds"], "BakeTime": inputs["bakeSeconds"]}
    if inputs["canarySeconds"]:
        chosen |= {"CheckpointPercentages": [CANARY_PERCENT, 100], "CheckpointDelay": inputs["canarySeconds"]}
    if alarms := [name for name in inputs["alarmNames"] if name not in ringing]:
        chosen["AlarmSpecification"] = {"Alarms": alarms}
    return chosen

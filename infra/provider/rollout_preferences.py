"""How a refresh is carried out: AWS's preferences from the rollout's inputs. Decides only.

Source: AWS, API reference "RefreshPreferences"; "Add checkpoints to an instance refresh": a checkpoint is reached once
at least its percentage of the group is new, so that 1 % is the first clone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goldfleet.contract.deadlines import HEALTH_INTERVAL, HEALTHY_THRESHOLD
from infra.replacement import LEAST_HEALTHY_PERCENT, MOST_HEALTHY_PERCENT

CANARY_PERCENT = 1
FIXED: dict[str, Any] = {
    "MinHealthyPercentage": LEAST_HEALTHY_PERCENT,
    "MaxHealthyPercentage": MOST_HEALTHY_PERCENT,
    "InstanceWarmup": HEALTHY_THRESHOLD * HEALTH_INTERVAL,
    "SkipMatching": True,
    "AutoRollback": True,
    "ScaleInProtectedInstances": "Ignore",
    "StandbyInstances": "Terminate",
}


def preferences(canary_seconds: int, bake_seconds: int, alarms: Sequence[str]) -> dict[str, Any]:
    """The preferences of one refresh.

    Args:
        canary_seconds: how long the first new clone serves before the others are replaced; 0: no checkpoint.
        bake_seconds: how long the new fleet is watched at the end.
        alarms: names of the alarms that turn it round.
    """
    chosen = {**FIXED, "BakeTime": bake_seconds}
    if canary_seconds:
        chosen |= {"CheckpointPercentages": [CANARY_PERCENT, 100], "CheckpointDelay": canary_seconds}
    if alarms:
        chosen["AlarmSpecification"] = {"Alarms": list(alarms)}
    return chosen

"""The preferences of an instance refresh: AWS's defaults, and what AWS refuses.

AWS, API reference "RefreshPreferences" and "Understand the default values for an instance refresh".
"""

from __future__ import annotations

from typing import Any

from moto.autoscaling.exceptions import ValidationError

DEFAULTS = {
    "SkipMatching": False,
    "AutoRollback": False,
    "ScaleInProtectedInstances": "Wait",
    "StandbyInstances": "Wait",
}
DEFAULT_BOUNDS = {"MinHealthyPercentage": 90}
"""If neither the call nor the group's policy gives any."""
CHECKPOINT_DELAY = 3600
"""Seconds, if checkpoints are given without one."""
RANGES = {
    "MinHealthyPercentage": (0, 100),
    "MaxHealthyPercentage": (100, 200),
    "CheckpointDelay": (0, 172800),
    "BakeTime": (0, 172800),
}


def complete_preferences(given: dict[str, Any], policy: dict[str, int] | None, warmup: float) -> dict[str, Any]:
    """The preferences that hold, checked.

    Args:
        given: as in the call.
        policy: the group's instance maintenance policy, if it has one.
        warmup: seconds, unless the call says otherwise.

    Raises:
        ValidationError: AWS refuses them.
    """
    _check_ranges(given)
    _check_checkpoints(given)
    if "MaxHealthyPercentage" in given and "MinHealthyPercentage" not in given:
        raise ValidationError("You must specify MinHealthyPercentage together with MaxHealthyPercentage")
    bounds = {} if "MinHealthyPercentage" in given else policy or DEFAULT_BOUNDS
    preferences = {**DEFAULTS, **bounds, "InstanceWarmup": warmup, **given}
    if preferences.get("MaxHealthyPercentage", 100) - preferences["MinHealthyPercentage"] > 100:
        raise ValidationError("MaxHealthyPercentage and MinHealthyPercentage differ by more than 100")
    if preferences.get("CheckpointPercentages"):
        preferences.setdefault("CheckpointDelay", CHECKPOINT_DELAY)
    return preferences


def _check_ranges(given: dict[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        if name in given and not low <= given[name] <= high:
            raise ValidationError(f"{name} must be between {low} and {high}, not {given[name]}")


def _check_checkpoints(given: dict[str, Any]) -> None:
    percentages = given.get("CheckpointPercentages") or []
    if "CheckpointDelay" in given and not percentages:
        raise ValidationError("You must specify CheckpointPercentages together with CheckpointDelay")
    if percentages != sorted(set(percentages)) or any(not 1 <= percent <= 100 for percent in percentages):
        raise ValidationError("CheckpointPercentages must be unique, in ascending order and between 1 and 100")

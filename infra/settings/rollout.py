"""Settings of the rollout."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Component

LONGEST = 172_800
"""Auto Scaling API, RefreshPreferences: two days, for either wait."""
ReleaseAlarm = Literal["app-errors", "balancer-errors", "unhealthy-clones", "slow-answers"]
"""Labels of the rows in `infra/alarm_rows.py` that a bad release sets off."""


class Rollout(Component):
    """How a new release is watched before it counts as good."""

    warm_up_seconds: int = Field(
        90,
        ge=0,
        le=LONGEST,
        description="From when a new clone is in service until the next is replaced, in seconds: time to boot.",
    )
    canary_seconds: int = Field(
        120,
        ge=0,
        le=LONGEST,
        description="How long the first new clone serves alone before the others are replaced, in seconds; 0: no wait.",
    )
    bake_seconds: int = Field(
        300,
        ge=0,
        le=LONGEST,
        description="How long the whole new fleet is watched before a rollout has succeeded, in seconds; 0: no wait.",
    )
    alarms: list[ReleaseAlarm] = Field(
        ["app-errors", "balancer-errors", "unhealthy-clones"],
        description="Alarms that turn a rollout round; one that rings before it begins has no say in it.",
    )

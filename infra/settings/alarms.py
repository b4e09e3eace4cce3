"""Settings of the alarms."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Component


class Alarms(Component):
    """Who is told, and from which values on."""

    email: str | None = Field(None, description="Address that alarms are sent to; none: the topic has no subscriber.")
    monthly_budget_usd: int = Field(300, ge=1, description="Budget of the whole account in US dollars a month.")
    p99_seconds: float = Field(1.0, gt=0, description="Slowest 1 % of answers may take this long, in seconds.")
    replica_lag_seconds: int = Field(
        10, ge=1, description="A read replica may lag behind its main by this, in seconds."
    )
    hit_ratio_percent: int = Field(
        80, ge=1, le=100, description="Share of look-ups that the cache should answer, in percent."
    )

"""Settings of the fleet."""

from __future__ import annotations

from pydantic import Field

from goldfleet.contract.deadlines import HEALTH_GRACE
from infra.settings.base import Component


class Fleet(Component):
    """The clones: how many, how large, when to add some."""

    desired: int = Field(
        2, description="Count of clones that you wish for; scaling moves it on between `min` and `max`."
    )
    min: int = Field(2, ge=1, description="Least count of clones.")
    max: int = Field(6, ge=1, le=500, description="Greatest count of clones.")
    instance_type: str = Field("t3.small", description="EC2 instance type: x86_64, booting by UEFI, with ENA.")
    cpu_target_percent: int = Field(
        40,
        ge=10,
        le=90,
        description="Mean CPU load that scaling aims at, in percent of all processors; the app is one process.",
    )
    requests_target: int = Field(3000, ge=1, description="Requests per clone that scaling aims at, a minute.")
    health_grace_seconds: int = Field(
        HEALTH_GRACE,
        ge=10,
        le=7200,
        description="From launch until a failing health check counts, in seconds: time to boot and to migrate.",
    )
    max_lifetime_days: int = Field(30, ge=1, le=365, description="Age at which a clone is replaced, in days.")

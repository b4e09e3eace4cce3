"""What every component's settings have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Component(BaseModel):
    """One component's settings: unknown keys and wrong types are refused, nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

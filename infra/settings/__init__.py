"""The settings: one model per component, all checked before the first resource."""

from __future__ import annotations

from infra.settings.load import load
from infra.settings.settings import Settings

__all__ = ["Settings", "load"]

"""Settings of the app."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Component


class App(Component):
    """What the app is told by you."""

    environment: dict[str, str] = Field({}, description="Environment variables for the app; not secret.")
    secrets: list[str] = Field(
        [], description="Names of secrets for the app; a clone starts only once each has a value in Secrets Manager."
    )

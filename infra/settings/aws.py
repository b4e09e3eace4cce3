"""Settings of the account that a stack lives in."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Component


class Aws(Component):
    """Which AWS: account, region, credentials."""

    account_id: str = Field(description="The AWS account, twelve digits in quotes; any other caller is refused.")
    region: str = Field(description="The AWS region, for example `eu-central-1`.")
    profile: str | None = Field(None, description="Profile in the shared AWS configuration; none: default credentials.")
    endpoint: str | None = Field(
        None, description="URL of a local control plane, a loopback address; the command sets it for the stack `local`."
    )
    log_retention_days: int = Field(365, description="How long every log group keeps its lines, in days.")

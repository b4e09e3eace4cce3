"""Settings of the network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infra.settings.base import Component


class Network(Component):
    """The VPC, its zones and its ways out."""

    cidr: str = Field("10.0.0.0/16", description="The VPC's private IPv4 block, a /16 to /22.")
    zones: list[str] = Field(
        ["a", "b"],
        description="Letters of the two or three availability zones to use; subnets depend on the letter only.",
    )
    nat: Literal["per_zone", "single", "none"] = Field(
        "per_zone",
        description="NAT gateways: one `per_zone`, a `single` one (cheaper, one zone's failure cuts all off), `none`.",
    )
    interface_endpoints: list[str] = Field(
        [],
        description="AWS services reached in the VPC, such as `secretsmanager`; required without NAT, billed hourly.",
    )

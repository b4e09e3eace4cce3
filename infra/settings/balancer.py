"""Settings of the load balancer."""

from __future__ import annotations

from pydantic import Field

from infra.settings.base import Component


class Balancer(Component):
    """The load balancer: under which name and how people reach the site."""

    domain: str | None = Field(None, description="The site's name; HTTPS with a certificate for it, HTTP redirects.")
    hosted_zone_id: str | None = Field(None, description="Id of the Route 53 zone that the domain belongs to.")
    plain_http: bool = Field(False, description="Serve plain HTTP, for stacks without a domain; never in production.")
    port: int = Field(80, ge=1, le=65535, description="TCP port of plain HTTP.")
    allowed_cidrs: list[str] = Field(
        ["0.0.0.0/0"], min_length=1, description="IPv4 blocks that may reach the balancer."
    )
    access_log_days: int = Field(90, ge=1, le=3650, description="How many days access logs are kept.")
    deletion_protection: bool = Field(
        True, description="Whether AWS and Pulumi refuse to delete the balancer, and access logs outlive it."
    )

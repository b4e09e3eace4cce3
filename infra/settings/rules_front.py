"""Rules of the load balancer and the alarms."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from goldfleet.errors import SettingsError
from infra.settings.settings import Settings

HTTP_PORT = 80


def domain_is_a_name(settings: Settings) -> Iterator[SettingsError]:
    domain = settings.balancer.domain
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if domain is not None and not re.fullmatch(rf"({label}\.)+{label}", domain):
        yield SettingsError("balancer.domain", f"'{domain}' is not a domain name", "write it like www.example.com")


def domain_needs_its_zone(settings: Settings) -> Iterator[SettingsError]:
    balancer = settings.balancer
    if balancer.domain is not None and balancer.hosted_zone_id is None:
        yield SettingsError(
            "balancer.hosted_zone_id",
            "a domain is proved by records in its zone",
            "name the zone in Route 53, like Z0123456789ABC",
        )
    if balancer.domain is None and balancer.hosted_zone_id is not None:
        yield SettingsError(
            "balancer.hosted_zone_id", "a zone without a domain", "set balancer.domain, or leave it out"
        )


def hosted_zone_is_an_id(settings: Settings) -> Iterator[SettingsError]:
    zone = settings.balancer.hosted_zone_id
    if zone is not None and not re.fullmatch(r"[A-Z0-9]{1,32}", zone):
        yield SettingsError(
            "balancer.hosted_zone_id", f"'{zone}' is not a zone's id", "take it from Route 53, like Z0123456789ABC"
        )


def http_is_a_choice(settings: Settings) -> Iterator[SettingsError]:
    balancer = settings.balancer
    if balancer.domain is None and not balancer.plain_http:
        yield SettingsError(
            "balancer.domain",
            "without a domain there is no certificate, and nobody chose plain HTTP",
            "set balancer.domain, or balancer.plain_http: true",
        )


def domain_excludes_plain_http(settings: Settings) -> Iterator[SettingsError]:
    if settings.balancer.domain is not None and settings.balancer.plain_http:
        yield SettingsError(
            "balancer.plain_http", "a stack with a domain serves HTTPS", "leave out plain_http or the domain"
        )


def production_serves_https(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.balancer.plain_http:
        yield SettingsError(
            "balancer.plain_http", "production never serves plain HTTP", "set balancer.domain and leave out plain_http"
        )


def port_is_for_plain_http(settings: Settings) -> Iterator[SettingsError]:
    balancer = settings.balancer
    if balancer.port != HTTP_PORT and not balancer.plain_http:
        yield SettingsError("balancer.port", "HTTPS is served on 443", "leave it out")


def allowed_cidrs_are_valid(settings: Settings) -> Iterator[SettingsError]:
    for cidr in settings.balancer.allowed_cidrs:
        try:
            ipaddress.IPv4Network(cidr)
        except ValueError as error:
            yield SettingsError(
                "balancer.allowed_cidrs", f"not an IPv4 block ({error})", "write it like 203.0.113.0/24"
            )


def production_protects_its_balancer(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and not settings.balancer.deletion_protection:
        yield SettingsError(
            "balancer.deletion_protection",
            "production's balancer is protected",
            "set it to true; docs/runbooks/destroy.md says how to take a stack down",
        )


def email_is_an_address(settings: Settings) -> Iterator[SettingsError]:
    email = settings.alarms.email
    if email is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", email):
        yield SettingsError("alarms.email", f"'{email}' is not an e-mail address", "write it like ops@example.com")


def production_tells_somebody(settings: Settings) -> Iterator[SettingsError]:
    if settings.production and settings.alarms.email is None:
        yield SettingsError("alarms.email", "production's alarms reach somebody", "set an address")


RULES = (
    domain_is_a_name,
    domain_needs_its_zone,
    hosted_zone_is_an_id,
    http_is_a_choice,
    domain_excludes_plain_http,
    production_serves_https,
    port_is_for_plain_http,
    allowed_cidrs_are_valid,
    production_protects_its_balancer,
    email_is_an_address,
    production_tells_somebody,
)

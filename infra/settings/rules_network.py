"""Rules of the network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from goldfleet.errors import SettingsError
from infra.replacement import most_clones
from infra.settings.settings import Settings
from infra.subnets import LARGEST_VPC, SMALLEST_VPC, ZONE_LETTERS, subnet_cidr, usable_addresses

PRIVATE_BLOCKS = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
"""RFC 1918."""

REQUIRED_WITHOUT_NAT = ("secretsmanager", "kms", "logs", "monitoring", "ssm", "ssmmessages", "sts")
KNOWN_ENDPOINTS = frozenset(
    {
        *REQUIRED_WITHOUT_NAT,
        "autoscaling",
        "ebs",
        "ec2",
        "ec2messages",
        "ecr.api",
        "ecr.dkr",
        "elasticloadbalancing",
        "events",
        "lambda",
        "rds",
        "sns",
        "sqs",
        "ssm-contacts",
        "ssm-incidents",
        "xray",
    }
)
"""AWS PrivateLink guide, "AWS services that integrate with AWS PrivateLink", November 2026: those that apps use."""


def vpc_block(settings: Settings) -> ipaddress.IPv4Network | None:
    """The VPC's block, or None if the setting is not one that subnets can be cut from."""
    try:
        block = ipaddress.IPv4Network(settings.network.cidr)
    except ValueError:
        return None
    return block if LARGEST_VPC <= block.prefixlen <= SMALLEST_VPC else None


def cidr_is_valid(settings: Settings) -> Iterator[SettingsError]:
    try:
        ipaddress.IPv4Network(settings.network.cidr)
    except ValueError as error:
        yield SettingsError("network.cidr", f"not an IPv4 block ({error})", "write it like 10.0.0.0/16")


def cidr_is_private(settings: Settings) -> Iterator[SettingsError]:
    block = vpc_block(settings)
    if block and not any(block.subnet_of(private) for private in PRIVATE_BLOCKS):
        yield SettingsError(
            "network.cidr",
            f"{block} is not private (RFC 1918)",
            "take a part of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
        )


def cidr_has_room(settings: Settings) -> Iterator[SettingsError]:
    try:
        prefix = ipaddress.IPv4Network(settings.network.cidr).prefixlen
    except ValueError:
        return
    if prefix < LARGEST_VPC:
        yield SettingsError(
            "network.cidr", f"a VPC is at most a /{LARGEST_VPC}, not a /{prefix}", f"take a /{LARGEST_VPC}"
        )
    if prefix > SMALLEST_VPC:
        yield SettingsError(
            "network.cidr",
            f"a /{prefix} is too small for public, app and data subnets in every zone",
            f"take a /{SMALLEST_VPC} or larger",
        )


def zones_are_two_or_three(settings: Settings) -> Iterator[SettingsError]:
    zones = settings.network.zones
    if not 2 <= len(set(zones)) <= 3 or len(set(zones)) != len(zones):
        yield SettingsError("network.zones", f"two or three different zones, not {zones}", "write [a, b]")


def zones_are_letters(settings: Settings) -> Iterator[SettingsError]:
    for zone in settings.network.zones:
        if len(zone) != 1 or zone not in ZONE_LETTERS:
            yield SettingsError(
                "network.zones",
                f"'{zone}' is not a zone's letter",
                f"use letters {ZONE_LETTERS[0]} to {ZONE_LETTERS[-1]}",
            )


def clones_fit_into_each_zone(settings: Settings) -> Iterator[SettingsError]:
    """Every zone alone must hold the whole fleet, because a zone may be all that is left."""
    block = vpc_block(settings)
    if block is None:
        return
    room = usable_addresses(subnet_cidr(str(block), "app", ZONE_LETTERS[0])) - len(settings.network.interface_endpoints)
    most = most_clones(settings.fleet.max)
    if most > room:
        yield SettingsError(
            "network.cidr",
            f"{block} leaves {room} addresses for clones in a zone, the fleet may need {most}",
            "take a larger block or lower fleet.max",
        )


def interface_endpoints_are_known(settings: Settings) -> Iterator[SettingsError]:
    services = settings.network.interface_endpoints
    for service in services:
        if service not in KNOWN_ENDPOINTS:
            yield SettingsError(
                "network.interface_endpoints",
                f"unknown service '{service}'",
                f"known are {', '.join(sorted(KNOWN_ENDPOINTS))}",
            )
    if len(set(services)) != len(services):
        yield SettingsError("network.interface_endpoints", "names a service twice", "name each once")


def without_nat_endpoints_are_needed(settings: Settings) -> Iterator[SettingsError]:
    missing = [name for name in REQUIRED_WITHOUT_NAT if name not in settings.network.interface_endpoints]
    if settings.network.nat == "none" and missing:
        yield SettingsError(
            "network.interface_endpoints",
            f"without NAT clones reach AWS through endpoints only, and {', '.join(missing)} are missing",
            "add them, or set network.nat to single",
        )


RULES = (
    cidr_is_valid,
    cidr_is_private,
    cidr_has_room,
    zones_are_two_or_three,
    zones_are_letters,
    clones_fit_into_each_zone,
    interface_endpoints_are_known,
    without_nat_endpoints_are_needed,
)

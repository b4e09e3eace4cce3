"""Subnet arithmetic: properties that hold for every VPC that the settings accept."""

from __future__ import annotations

import ipaddress
from itertools import combinations, product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.subnets import LARGEST_VPC, SMALLEST_VPC, ZONE_LETTERS, Kind, subnet_cidr, usable_addresses

KINDS: tuple[Kind, ...] = get_args(Kind)


@st.composite
def vpcs(draw: st.DrawFn) -> ipaddress.IPv4Network:
    prefix = draw(st.integers(LARGEST_VPC, SMALLEST_VPC))
    start = draw(st.integers(0, 2 ** (prefix - 8) - 1))
    return ipaddress.IPv4Network((10 * 2**24 + start * 2 ** (32 - prefix), prefix))


@given(vpcs())
def test_all_subnets_are_inside_and_none_overlaps(vpc: ipaddress.IPv4Network) -> None:
    subnets = [ipaddress.IPv4Network(subnet_cidr(str(vpc), kind, z)) for kind, z in product(KINDS, ZONE_LETTERS)]
    assert all(subnet.subnet_of(vpc) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))


@given(vpcs())
def test_nothing_of_the_vpc_is_wasted(vpc: ipaddress.IPv4Network) -> None:
    subnets = [ipaddress.IPv4Network(subnet_cidr(str(vpc), kind, z)) for kind, z in product(KINDS, ZONE_LETTERS)]
    assert list(ipaddress.collapse_addresses(subnets)) == [vpc]


@given(vpcs(), st.sampled_from(ZONE_LETTERS))
def test_a_balancer_fits_into_every_public_subnet(vpc: ipaddress.IPv4Network, zone: str) -> None:
    """A /27 at least, with eight free addresses."""
    assert ipaddress.IPv4Network(subnet_cidr(str(vpc), "public", zone)).prefixlen <= 27
    assert usable_addresses(subnet_cidr(str(vpc), "public", zone)) >= 8


@pytest.mark.parametrize(
    ("kind", "zone", "cidr"),
    [
        ("app", "a", "10.0.0.0/20"),
        ("app", "b", "10.0.16.0/20"),
        ("app", "h", "10.0.112.0/20"),
        ("public", "a", "10.0.128.0/21"),
        ("data", "c", "10.0.208.0/21"),
    ],
)
def test_blocks_never_move(kind: Kind, zone: str, cidr: str) -> None:
    """Existing stacks have them: another block would replace every subnet."""
    assert subnet_cidr("10.0.0.0/16", kind, zone) == cidr


def test_usable_addresses() -> None:
    assert [usable_addresses(f"10.0.0.0/{prefix}") for prefix in (24, 28, 32)] == [251, 11, 0]

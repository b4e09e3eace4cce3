"""Subnet arithmetic: which block of the VPC belongs to which kind of subnet in which zone.

A block depends on the zone's letter only, so adding or removing a zone never moves another zone's subnets. The first
half of the VPC is for clones, the third quarter for the balancer, the fourth for stores; each has eight slots, `a` to
`h`.
"""

from __future__ import annotations

import ipaddress
from typing import Literal

Kind = Literal["app", "public", "data"]

ZONE_LETTERS = "abcdefgh"
RESERVED_ADDRESSES = 5
"""AWS keeps the first four addresses and the last one of each subnet (VPC User Guide, "Subnet sizing")."""
LARGEST_VPC, SMALLEST_VPC = 16, 22
"""Prefix lengths. In a /22 a public subnet is a /27, the least that a load balancer takes."""

_SLOT_BITS = 3


def subnet_cidr(vpc_cidr: str, kind: Kind, zone: str) -> str:
    """The block of the subnet of one kind in one zone.

    Args:
        vpc_cidr: the VPC's IPv4 block, a /16 to /22.
        kind: `app`, `public` or `data`.
        zone: the zone's letter, `a` to `h`.
    """
    vpc = ipaddress.IPv4Network(vpc_cidr)
    first, second = vpc.subnets(prefixlen_diff=1)
    third_quarter, fourth_quarter = second.subnets(prefixlen_diff=1)
    area = {"app": first, "public": third_quarter, "data": fourth_quarter}[kind]
    return str(list(area.subnets(prefixlen_diff=_SLOT_BITS))[ZONE_LETTERS.index(zone)])


def usable_addresses(cidr: str) -> int:
    """How many addresses of a subnet AWS leaves to its owner."""
    return max(0, ipaddress.IPv4Network(cidr).num_addresses - RESERVED_ADDRESSES)

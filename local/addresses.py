"""Which loopback address belongs to what: pure functions of a checkout's network number N.

`127.N.x.y` are instances, `127.(N+1).x.y` managed services and, at `127.(N+1).0.1`, the control plane. N is even, so
the networks of two checkouts never meet. Linux answers on all of 127.0.0.0/8 without any set-up.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Container

CONTROL_PORT = 4566
CONTROL_IN_GUEST = "169.254.1.1"
"""Where a virtual machine finds the control plane, on its own link."""

_FIRST_SERVICE_SLOT = 256
_SLOTS = 65536


def instance_address(network: int, private_ip: str) -> str:
    """`127.N.x.y`, where x.y are the two low bytes of an instance's address in its VPC.

    Args:
        network: the checkout's N.
        private_ip: dotted IPv4 address; the VPC must not be larger than a /16.
    """
    low = int(ipaddress.IPv4Address(private_ip)) % _SLOTS
    return _address(network, low)


def service_address(network: int, name: str, taken: Container[str]) -> str:
    """`127.(N+1).x.y` for a managed service: the same for the same name, unless another service was there first.

    Args:
        network: the checkout's N.
        name: unique among the services of all kinds, for example `rds/main-1`.
        taken: addresses that other services have.
    """
    slots = _SLOTS - _FIRST_SERVICE_SLOT
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % slots
    for step in range(slots):
        address = _address(network + 1, _FIRST_SERVICE_SLOT + (start + step) % slots)
        if address not in taken:
            return address
    raise ValueError(f"no address is left in 127.{network + 1}.0.0/16")


def control_address(network: int) -> str:
    """Where the control plane listens."""
    return _address(network + 1, 1)


def control_endpoint(network: int) -> str:
    """The URL that takes the place of AWS's endpoints."""
    return f"http://{control_address(network)}:{CONTROL_PORT}"


def _address(second_byte: int, low: int) -> str:
    return f"127.{second_byte}.{low >> 8}.{low & 255}"

"""A checkout's network number N: even, 10 to 250, the same every time unless somebody else listens there."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local.addresses import CONTROL_PORT, control_address

NUMBERS = range(10, 252, 2)


def choose_network(checkout: Path, is_free: Callable[[int], bool] | None = None) -> int:
    """The network number for a checkout: from a hash of its path, else the next one that is free.

    Args:
        checkout: the root of the checkout.
        is_free: tells whether nobody listens on the control port of a network; by default it tries to bind it.

    Raises:
        LocalCloudError: every network is taken.
    """
    free = is_free or control_port_is_free
    start = int.from_bytes(hashlib.sha256(str(checkout.resolve()).encode()).digest()[:8])
    for step in range(len(NUMBERS)):
        number = NUMBERS[(start + step) % len(NUMBERS)]
        if free(number):
            return number
    raise LocalCloudError(
        "network number", "every network from 10 to 250 is taken", "stop a local cloud that is not needed"
    )


def control_port_is_free(network: int) -> bool:
    """True if the control port of a network can be bound now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((control_address(network), CONTROL_PORT))
        except OSError:
            return False
    return True

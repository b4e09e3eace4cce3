"""A checkout's network number N: even, 10 to 250, the same every time unless somebody else listens there."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local.addresses import CONTROL_PORT, control_address

NUMBERS = range(10, 252, 2)
CLAIM_PORT = CONTROL_PORT - 1
"""Bound by the run that has a network, from before its control plane listens; nobody answers there."""


def choose_network(checkout: Path, is_free: Callable[[int], bool] | None = None) -> int:
    """The network number for a checkout: from a hash of its path, else the next one that is free.

    Args:
        checkout: the root of the checkout.
        is_free: tells whether no run has a network; by default it tries to bind its ports.

    Raises:
        LocalCloudError: every network is taken.
    """
    free = is_free or _is_free
    start = int.from_bytes(hashlib.sha256(str(checkout.resolve()).encode()).digest()[:8])
    for step in range(len(NUMBERS)):
        number = NUMBERS[(start + step) % len(NUMBERS)]
        if free(number):
            return number
    raise LocalCloudError(
        "network number", "every network from 10 to 250 is taken", "stop a local cloud that is not needed"
    )


@contextmanager
def claimed_network(checkout: Path) -> Iterator[int]:
    """A number as `choose_network` gives it, that nobody else is given until the block ends or the process dies.

    Raises:
        LocalCloudError: every network is taken.
    """
    with ExitStack() as held:
        yield choose_network(checkout, lambda network: _claim(network, held))


def _is_free(network: int) -> bool:
    with ExitStack() as briefly:
        return _claim(network, briefly)


def _claim(network: int, held: ExitStack) -> bool:
    """Binds a network's claim port until `held` is closed; False if some run has the network."""
    if not control_port_is_free(network):
        return False
    claim = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    try:
        claim.bind((control_address(network), CLAIM_PORT))
    except OSError:
        return False
    return True


def control_port_is_free(network: int) -> bool:
    """True if the control port of a network can be bound now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((control_address(network), CONTROL_PORT))
        except OSError:
            return False
    return True

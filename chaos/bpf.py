"""The packets that a black hole swallows, as a program of classic BPF. Pure.

Source: Linux, "Linux Socket Filtering aka Berkeley Packet Filter (BPF)"; tc-bpf(8), for `direct-action` and what its
return values mean.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

_LOAD_16, _LOAD_32, _LOAD_16_BEHIND = 0x28, 0x20, 0x48
_HEADER_LENGTH, _JUMP, _IF_EQUAL, _RETURN = 0xB1, 0x05, 0x15, 0x06
_ETHERNET, _PROTOCOL, _SOURCE, _TARGET = 14, 12, 26, 30
_IPV4 = 0x0800
_DROP, _PASS = 2, 0xFFFFFFFF
_MOST_SPARED = 200
"""A jump goes over 255 instructions at most."""


def swallow(host: str, spared: Iterable[int] = ()) -> str:
    """What goes to or comes from an address is dropped without a word, everything else passes.

    Args:
        host: dotted IPv4 address.
        spared: ports of those at the other end whose packets pass nevertheless.

    Returns:
        `COUNT,CODE JT JF K,...` as tc takes it.

    Raises:
        ValueError: too many are spared.
    """
    ports = sorted(set(spared))
    if len(ports) > _MOST_SPARED:
        raise ValueError(f"{len(ports)} connections are too many to spare; at most {_MOST_SPARED}")
    address = int(ipaddress.IPv4Address(host))
    end = len(ports)
    instructions = [
        (_LOAD_16, 0, 0, _PROTOCOL),
        (_IF_EQUAL, 0, 10 + end, _IPV4),
        (_LOAD_32, 0, 0, _SOURCE),
        (_IF_EQUAL, 2, 0, address),
        (_LOAD_32, 0, 0, _TARGET),
        (_IF_EQUAL, 3, 6 + end, address),
        # It comes from the address: the other end is the target.
        (_HEADER_LENGTH, 0, 0, _ETHERNET),
        (_LOAD_16_BEHIND, 0, 0, _ETHERNET + 2),
        (_JUMP, 0, 0, 2),
        # It goes there: the other end is the source.
        (_HEADER_LENGTH, 0, 0, _ETHERNET),
        (_LOAD_16_BEHIND, 0, 0, _ETHERNET),
        *((_IF_EQUAL, end - place, 0, port) for place, port in enumerate(ports)),
        (_RETURN, 0, 0, _DROP),
        (_RETURN, 0, 0, _PASS),
    ]
    return ",".join([str(len(instructions)), *(" ".join(map(str, each)) for each in instructions)])

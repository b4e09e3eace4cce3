"""Values that were put into a settings file to be replaced.

Sources: RFC 2606 (names for examples), RFC 5737 (addresses for documentation).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence

_VALUES = {"111111111111", "222222222222", "ami-0123456789abcdef0", "Z0123456789EXAMPLE"}
_NETWORKS = [ipaddress.IPv4Network(network) for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
_NAME = re.compile(r"(^|[@.])example\.(com|net|org)$|\.example$")


def examples(value: object, path: str = "") -> Iterator[str]:
    """The paths of all examples among some settings.

    Args:
        value: of a settings file: `{component: {key: value}}`, or a part of it.
        path: of that part.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from examples(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, str):
        if is_example(value):
            yield path
    elif isinstance(value, Sequence):
        for index, inner in enumerate(value):
            yield from examples(inner, f"{path}[{index}]")


def is_example(text: str) -> bool:
    """True for a value that names nobody."""
    if text in _VALUES or _NAME.search(text):
        return True
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        return False
    return any(network.subnet_of(other) for other in _NETWORKS)

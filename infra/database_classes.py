"""RDS instance classes and how many connections PostgreSQL takes on them.

As of November 2026. Sources: RDS User Guide, "Hardware specifications for DB instance classes" and "Quotas and
constraints" (`max_connections` is LEAST(DBInstanceClassMemory / 9531392, 5000)).
"""

from __future__ import annotations

from collections.abc import Mapping

_GIB = 1024**3
_BYTES_PER_CONNECTION = 9_531_392
_MOST = 5000
_MEMORY_SHARE = 0.9
"""DBInstanceClassMemory is the class's memory less what the operating system and RDS take."""
_RESERVED = 10
"""Connections kept for RDS itself, superusers and migrations."""

_SIZES: Mapping[str, Mapping[str, float]] = {
    "t4g": {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32},
    "t3": {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32},
    "m6g": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64},
    "m7g": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64},
    "m8g": {"large": 8, "xlarge": 16, "2xlarge": 32, "4xlarge": 64},
    "r6g": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128},
    "r7g": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128},
    "r8g": {"large": 16, "xlarge": 32, "2xlarge": 64, "4xlarge": 128},
}

CLASSES: Mapping[str, float] = {
    f"db.{family}.{size}": memory for family, sizes in _SIZES.items() for size, memory in sizes.items()
}
"""Memory in GiB by class."""


def max_connections(instance_class: str) -> int:
    """How many connections the app may count on, on one server of the class."""
    memory = CLASSES[instance_class] * _GIB * _MEMORY_SHARE
    return min(_MOST, int(memory // _BYTES_PER_CONNECTION)) - _RESERVED

"""Versions of the stores' engines that the settings accept, and their parameter families.

As of November 2026. Sources: ElastiCache User Guide, "Supported engines and versions"; RDS User Guide, "Working with
DB instance parameter groups".
"""

from __future__ import annotations

from collections.abc import Mapping

_FAMILIES: Mapping[str, Mapping[str, str]] = {
    "valkey": {"7.2": "valkey7", "8.0": "valkey8", "8.1": "valkey8", "8.2": "valkey8", "9.0": "valkey9"},
    "redis": {"7.0": "redis7", "7.1": "redis7"},
}

POSTGRESQL_VERSIONS = ("15", "16", "17", "18")


def versions(engine: str) -> tuple[str, ...]:
    """Versions of `valkey` or `redis` that the settings accept."""
    return tuple(_FAMILIES[engine])


def parameter_family(engine: str, version: str) -> str:
    """The parameter group family of an ElastiCache engine's version."""
    return _FAMILIES[engine][version]


def postgresql_family(version: str) -> str:
    """The parameter group family of a major version of RDS for PostgreSQL."""
    return f"postgres{version}"

"""Which EC2 instance types can start the golden image: x86_64, booting by UEFI, with ENA.

As of November 2026. Sources: EC2 User Guide, "Requirements for UEFI boot mode"; EC2 Instance Types guide.
"""

from __future__ import annotations

from collections.abc import Mapping

FAMILIES = frozenset(
    {
        "c5", "c5a", "c5d", "c5n", "c6a", "c6i", "c6id", "c6in", "c7a", "c7i", "c7i-flex", "c8i", "c8i-flex",
        "m5", "m5a", "m5d", "m5n", "m6a", "m6i", "m6id", "m6in", "m7a", "m7i", "m7i-flex", "m8i", "m8i-flex",
        "r5", "r5a", "r5d", "r5n", "r6a", "r6i", "r6id", "r6in", "r7a", "r7i", "r8i", "r8i-flex",
        "t3", "t3a",
    }
)  # fmt: skip

_ARM = frozenset({"a1", "t4g", "c6g", "c7g", "c8g", "m6g", "m7g", "m8g", "r6g", "r7g", "r8g"})
_OLD = frozenset({"t1", "t2", "m1", "m2", "m3", "m4", "c1", "c3", "c4", "r3", "r4"})
_REASONS: Mapping[str, frozenset[str]] = {
    "it is arm64, the image is x86_64": _ARM,
    "it cannot boot by UEFI": _OLD,
}


def refusal(instance_type: str) -> str | None:
    """Why the image cannot start on the type, or None if it can."""
    family, dot, size = instance_type.partition(".")
    if not dot or not size:
        return "it is not an instance type's name"
    if family in FAMILIES:
        return None
    return next(
        (reason for reason, families in _REASONS.items() if family in families), "it is not in the table of types"
    )


def processors(instance_type: str) -> int | None:
    """Count of vCPUs of a type in the table; None if its size does not tell, as that of `metal`."""
    size = instance_type.partition(".")[2]
    if size in {"nano", "micro", "small", "medium", "large"}:
        return 2
    times = size.removesuffix("xlarge")
    if size == times or not (times.isdigit() or not times):
        return None
    return 4 * int(times or 1)

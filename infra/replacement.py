"""How clones are replaced: new ones first, a few at a time."""

from __future__ import annotations

LEAST_HEALTHY_PERCENT, MOST_HEALTHY_PERCENT = 100, 110
"""While clones are replaced the group holds at least and at most this share of its desired capacity."""


def most_clones(maximum: int) -> int:
    """How many clones there may be at once when the group holds `maximum` and replaces some."""
    return -(-maximum * MOST_HEALTHY_PERCENT // 100)

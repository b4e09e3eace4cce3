"""Lines -> batches that PutLogEvents takes. Decides only.

Source: AWS, CloudWatch Logs API reference, "PutLogEvents": 1,048,576 bytes per batch counting 26 more for each event,
10,000 events, in chronological order, none more than 2 hours ahead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

EVENT_OVERHEAD = 26
# A little less than AWS takes: the shipper's own report of dropped lines fits in beside a full batch.
BATCH_BYTES = 1_048_576 - 1024
BATCH_EVENTS = 10_000 - 1
EVENT_BYTES = 64 * 1024
"""Longer lines are cut; AWS takes more, people don't read more."""

Event = dict[str, int | str]


def cut(text: bytes) -> tuple[list[bytes], int]:
    """The whole lines at the start of `text` that fit into one batch, and how many bytes of `text` they took.

    A line without an end counts once it is longer than an event may be.
    """
    lines: list[bytes] = []
    used = size = 0
    while used < len(text) and len(lines) < BATCH_EVENTS:
        end = text.find(b"\n", used)
        if end < 0 and len(text) - used <= EVENT_BYTES:
            break
        line = text[used : used + EVENT_BYTES if end < 0 else end]
        # A byte that is no UTF-8 becomes a replacement character of three.
        cost = 3 * min(len(line), EVENT_BYTES) + EVENT_OVERHEAD
        if size + cost > BATCH_BYTES:
            break
        size += cost
        used += len(line) + (end >= 0)
        if line.strip():
            lines.append(line[:EVENT_BYTES])
    return lines, used


def events(lines: Iterable[bytes], now: int) -> list[Event]:
    """Events in chronological order.

    Args:
        lines: as `cut` gives them.
        now: milliseconds since the epoch, for lines that carry no time of their own.
    """
    texts = [line.decode(errors="replace") for line in lines]
    made: list[Event] = [{"timestamp": _timestamp(text, now), "message": text} for text in texts]
    return sorted(made, key=lambda event: event["timestamp"])


def _timestamp(text: str, now: int) -> int:
    """The line's own `time` (ISO 8601) if it is a JSON object with a believable one, else `now`."""
    if not text.startswith("{"):
        return now
    try:
        own = int(datetime.fromisoformat(json.loads(text)["time"]).timestamp() * 1000)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return now
    return own if now - 3_600_000 <= own <= now else now

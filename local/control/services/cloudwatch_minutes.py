"""CloudWatch's minutes, of which this cloud may make shorter ones, and times as CloudWatch is told them.

A period of 60 is one minute of this cloud, `CLOUD.minute` seconds, in alarms and in questions alike; times are real.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

from local.control.cloud import CLOUD

PERIOD = 60
"""CloudWatch's seconds in a minute."""


def this_minute() -> int:
    """The number of the minute that goes on."""
    return minute_of(time.time())


def minute_of(seconds: float) -> int:
    """The number of the minute in which a moment lies; `seconds` since 1970."""
    return math.floor(seconds / CLOUD.minute)


def start_of(minute: int) -> datetime:
    """When a minute began."""
    return datetime.fromtimestamp(minute * CLOUD.minute, UTC)


def minutes_in(period: int | str) -> int:
    """How many minutes a period has, one at least; `period` in CloudWatch's seconds."""
    return max(1, int(period) // PERIOD)


def timestamp(at: datetime) -> float:
    """Seconds since 1970; a time without a zone is UTC."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

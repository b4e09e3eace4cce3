"""One JSON object a line on standard error: the same path that the app's lines take."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def line(level: str, message: str, **fields: object) -> None:
    """Writes one line: time (UTC), level, message and what belongs to it."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    sys.stderr.write(json.dumps({"time": time, "level": level, "logger": "image", "message": message, **fields}) + "\n")
    sys.stderr.flush()

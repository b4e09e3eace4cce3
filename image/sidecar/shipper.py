"""Log lines on their way to CloudWatch Logs: at least once, in order, bounded in memory and on disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from threading import Event
from typing import Any

import botocore.exceptions

from image.launch import log
from image.sidecar.batches import cut, events
from image.sidecar.source import Source

PAUSE = 0.5
"""Seconds between looks at the source while there is nothing to ship."""
LONGEST_PAUSE = 30.0
FLUSH = 5.0
"""Seconds that the last lines have to get out after the stop signal."""


class Shipper:
    """Ships one source into one stream.

    Args:
        client: makes the botocore client of CloudWatch Logs, when the first line is there.
        group, stream: where to; the stream is made, the group must exist.
        source: where the lines come from.
    """

    def __init__(self, client: Callable[[], Any], group: str, stream: str, source: Source) -> None:
        self._make_client = client
        self._client: Any = None
        self._place = {"logGroupName": group, "logStreamName": stream}
        self._source = source
        self._dropped = 0

    def run(self, stop: Event) -> None:
        """Ships until `stop` is set, then what is left, for at most `FLUSH` seconds."""
        pause = PAUSE
        while not stop.is_set():
            pause = self._step(pause)
            if pause:
                stop.wait(pause)
        deadline = time.monotonic() + FLUSH
        self._source.settle()
        while self._source.read() and time.monotonic() < deadline and self._step(PAUSE) == 0:
            pass

    def _step(self, pause: float) -> float:
        """Ships one batch; returns seconds to wait: none while there is more, longer after each failure."""
        try:
            return 0 if self.ship() else PAUSE
        except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
            log.line("warning", "log lines wait", reason=str(error), seconds=pause)
            return min(pause * 2, LONGEST_PAUSE)

    def ship(self) -> int:
        """Ships one batch; returns how many bytes of the source it took.

        Raises:
            botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: nothing was taken; try again.
        """
        self._dropped += self._source.drop_excess()
        lines, used = cut(self._source.read())
        if self._dropped:
            lines.insert(
                0,
                json.dumps(
                    {"level": "warning", "logger": "image", "message": "log lines dropped", "count": self._dropped}
                ).encode(),
            )
        if lines:
            self._put(lines)
        self._dropped = 0
        if used:
            self._source.shipped(used)
        return used

    def _put(self, lines: list[bytes]) -> None:
        if self._client is None:
            self._client = self._make_client()
        batch = events(lines, int(time.time() * 1000))
        try:
            self._client.put_log_events(**self._place, logEvents=batch)
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_log_stream(**self._place)
            self._client.put_log_events(**self._place, logEvents=batch)

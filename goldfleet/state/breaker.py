"""A breaker: after some failures in a row, nobody waits for a store that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable


class Breaker:
    """Opens after `failures` failures in a row and refuses calls for `pause` seconds; then lets calls try again.

    One more failure after the pause opens it at once, one success closes it.

    Args:
        failures: how many in a row open it.
        pause: seconds.
        clock: monotonic seconds.
    """

    def __init__(self, failures: int = 3, pause: float = 0.5, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._closed_at = 0.0

    @property
    def open(self) -> bool:
        return self._failed >= self._failures and self._clock() < self._closed_at

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self) -> None:
        self._failed += 1
        self._closed_at = self._clock() + self._pause

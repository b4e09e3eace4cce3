"""What goes on between two calls: groups replace and drain instances, refreshes move on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from local.control.cloud import Cloud

TICK = 0.2
"""Seconds between two looks."""


class Clock(threading.Thread):
    """Calls `settle` under the cloud's lock, again and again.

    Args:
        cloud: whose lock is held, and whose version counts what was changed.
        settle: does what is due and tells whether it changed anything.
        watch: called before each look, without the lock.
    """

    def __init__(self, cloud: Cloud, settle: Callable[[], bool], watch: Callable[[], None]) -> None:
        super().__init__(name="clock", daemon=True)
        self._cloud = cloud
        self._settle = settle
        self._watch = watch
        self._stopped = threading.Event()

    def run(self) -> None:
        """Looks until `stop`."""
        while not self._stopped.wait(TICK):
            self._watch()
            with self._cloud.lock:
                changed = self._settle()
            if changed:
                self._cloud.mark_changed()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stopped.set()
        self.join()

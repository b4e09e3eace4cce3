"""What a resource's method may ask for while it works: progress, time left, cancellation, bounded waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from goldfleet.errors import GoldfleetError

Found = TypeVar("Found")


class Cancelled(GoldfleetError):
    """The person cancelled the update while the resource was at work."""

    def __init__(self, where: str) -> None:
        super().__init__(where, "cancelled", "run the same command again to finish")


class TimedOut(GoldfleetError):
    """A resource did not reach its wanted state in time."""


def _silent(text: str) -> None:  # noqa: ARG001  the signature of a row nobody watches
    return


@dataclass(frozen=True)
class Context:
    """One call of the engine.

    Args:
        urn: the resource's full name in the state.
        name: its short name in the program.
        preview: True while nothing may be made.
        timeout: seconds that the program allows for this operation; None: the resource decides.
        progress: shows a line of text on the resource's own row, live.
        tell: shows a line of text that stays.
        cancel: set once the person cancelled.
        seed: random bytes, the same each time this resource is checked.
    """

    urn: str = ""
    name: str = ""
    preview: bool = False
    timeout: float | None = None
    progress: Callable[[str], None] = _silent
    tell: Callable[[str], None] = _silent
    cancel: threading.Event = field(default_factory=threading.Event)
    seed: bytes = b""

    @property
    def cancelled(self) -> bool:
        return self.cancel.is_set()

    def wait_for(
        self,
        what: str,
        probe: Callable[[], Found | None],
        timeout: float,
        interval: float = 1.0,
        *,
        show: bool = True,
    ) -> Found:
        """Calls `probe` until it returns something, pausing up to `interval` seconds between calls.

        Args:
            what: shown as progress and in the error: "available".
            probe: None means not yet.
            timeout: seconds, unless the program set its own timeout.
            interval: longest pause in seconds; the first ones are shorter.
            show: False if `probe` itself shows how far it is.

        Raises:
            Cancelled: the person cancelled.
            TimedOut: `timeout` seconds have passed.
        """
        limit = timeout if self.timeout is None else self.timeout
        deadline = time.monotonic() + limit
        pause = min(0.05, interval)
        while (found := probe()) is None:
            if time.monotonic() >= deadline:
                raise TimedOut(self.name, f"not {what} after {limit:.0f} seconds", "look at it on AWS, then run again")
            if show:
                self.progress(f"waiting until {what}")
            if self.cancel.wait(pause):
                raise Cancelled(self.name)
            pause = min(interval, pause * 1.5)
        return found

"""Shows the steps of one long piece of work, and afterwards how long each took."""

from __future__ import annotations

import time

from goldfleet.cli.terminal import Step


class Steps:
    """Takes what a piece of work says that it does now.

    Args:
        step: where it is shown.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._begun: list[tuple[str, float]] = []

    def __call__(self, text: str) -> None:
        """Another step begins; the one before is done."""
        self._begun.append((text, time.monotonic()))
        self._step.note(text)

    def times(self) -> list[tuple[str, float]]:
        """Each step so far and its seconds, the last one's until now."""
        ends = [begun for _, begun in self._begun[1:]] + [time.monotonic()]
        return [(text, end - begun) for (text, begun), end in zip(self._begun, ends, strict=True)]

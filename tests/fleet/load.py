"""A few people of `chaos` who use the site all the time, for a test of one thing: what they must see is in `chaos/`."""

from __future__ import annotations

from collections import Counter
from types import TracebackType

import chaos.load

PAUSE = 0.02


class Load:
    """While inside, `people` use the site.

    Args:
        url: the site.
        people: how many use it at the same time; every second one repeats GETs that fail.
    """

    def __init__(self, url: str, people: int = 4) -> None:
        self._load = chaos.load.Load(url, people, PAUSE)

    @property
    def failures(self) -> Counter[str]:
        """Requests that were not answered well, wrong answers among them, by kind."""
        return Counter(f"{failure.kind.value}: {failure.detail}" for failure in self._load.failures)

    @property
    def clones(self) -> Counter[str]:
        """Good answers by clone."""
        return self._load.clones

    @property
    def answered(self) -> int:
        return self._load.answered

    def __enter__(self) -> Load:
        self._load.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._load.__exit__(kind, error, trace)

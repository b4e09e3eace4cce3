"""A fault: what it does to the fleet, and what people are promised while it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from chaos.fleet import Fleet
from chaos.line import STRUCK, Line
from chaos.load import Load
from chaos.workshop import Workshop
from local.processes import wait_until

POLL = 0.2
QUIET = 1.0
"""Seconds without a failure after which people are served again."""


class NotSoon(Exception):
    """Something that a fault waits for did not happen in time: its promise is broken."""


class NotHere(Exception):
    """This machine does not allow the fault; the line says so and is neither kept nor broken."""


def _nothing(_: Fleet) -> None:
    pass


@dataclass(frozen=True)
class Fault:
    """One line of the table.

    Args:
        name: as `--only` takes it.
        what: what it does, in a few words.
        promise: what people are promised meanwhile.
        published: what AWS publishes for the same step, with the page's title.
        strike: does it, and returns once the fleet is over it. Raises NotSoon, NotHere.
        broken: each way in which the promise was broken, as a sentence; pure.
        load: whether people use the site meanwhile.
        leave: puts right what no `up` can, after everything has been looked up; also after an interrupt.
    """

    name: str
    what: str
    promise: str
    published: str
    strike: Callable[[Scene], None]
    broken: Callable[[Line], Sequence[str]]
    load: bool = True
    leave: Callable[[Fleet], None] = _nothing


class Scene:
    """What a fault works with.

    Args:
        fleet: what is broken.
        load: the people who use it; None if the fault needs none.
        say: tells the person who watches what happens now.
        undo: what must be done whatever happens, last thing first; for `undo.callback(...)`.
    """

    def __init__(self, fleet: Fleet, load: Load | None, say: Callable[[str], None], undo: ExitStack) -> None:
        self.fleet = fleet
        self.load = load
        self.say = say
        self.undo = undo
        self.moments: dict[str, float] = {}
        self.facts: dict[str, Any] = {}

    @cached_property
    def workshop(self) -> Workshop:
        """A copy of the checkout to edit; afterwards `goldfleet up` with the person's own undoes what it did."""
        folder = self.undo.enter_context(TemporaryDirectory(prefix="goldfleet-chaos-"))
        workshop = Workshop.open(Path(folder) / "checkout")
        self.undo.callback(self._put_back)
        return workshop

    def mark(self, moment: str) -> None:
        """Notes that it is now: `struck` when the fault begins, others as a fault wants to tell them."""
        self.moments[moment] = self._now()

    def note(self, fact: str, value: Any) -> None:
        """A figure for the report."""
        self.facts[fact] = value

    def until(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Waits for a condition; then its name is a moment.

        Raises:
            NotSoon: it does not hold within `seconds`.
        """
        if not wait_until(condition, seconds, every=POLL):
            raise NotSoon(f"not {what} within {seconds:.0f} s")
        self.mark(what)

    def pass_by(self, seconds: float) -> None:
        """Lets people go on until `seconds` after the strike are over, so that what comes later is seen too."""
        end = self.moments[STRUCK] + seconds
        wait_until(lambda: self._now() > end, 2 * seconds, every=POLL)

    def served_again(self) -> bool:
        """Whether nobody has seen a failure for a while."""
        if self.load is None or not self.load.failures:
            return True
        last = self.load.failures[-1]
        return self.load.now() - (last.sent + last.seconds) > QUIET

    def _put_back(self) -> None:
        self.say("putting the person's own release and count back")
        self.fleet.up()

    def _now(self) -> float:
        return self.load.now() if self.load else monotonic()

"""What a verb shows while it works: live at a terminal, plain lines with the time of day in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi.automation import EngineEvent
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from goldfleet.cli.resource_table import ResourceTable, Row

ROWS_SHOWN = 12
SLOW = 1.0
"""Seconds after which a resource gets a row: what is done sooner would only flicker."""


class Terminal:
    """The person's terminal, or the pipe in its place."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        """One line that stays."""
        if self.console.is_terminal:
            self.console.print(Text(text))
        else:
            self.console.print(Text(f"{time.strftime('%H:%M:%S')} {text}"))

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        """One thing that takes time: shown while it lasts, and how long it took when it is done."""
        step = Step(self, what)
        if not self.console.is_terminal:
            self.line(f"{what} ...")
            yield step
        else:
            with Live(step, console=self.console, transient=True, refresh_per_second=8):
                yield step
        self.line(f"{what}: done in {step.seconds:.1f} s")


class Step:
    """A step that is being worked on, with the resources that the engine changes in it."""

    def __init__(self, terminal: Terminal, what: str) -> None:
        self._terminal = terminal
        self._what = what
        self._started = time.monotonic()
        self._note = ""
        self._spinner = Spinner("dots")
        self.resources = ResourceTable()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def note(self, text: str) -> None:
        """What it does now; in a pipe a line, if it is news."""
        if text == self._note:
            return
        self._note = text
        if not self._terminal.console.is_terminal:
            self._terminal.line(f"  {text}")

    def on_event(self, event: EngineEvent) -> None:
        """Takes an event of the engine."""
        now = time.monotonic()
        row = self.resources.apply(event, now)
        if row and (row.failed or not self._terminal.console.is_terminal):
            self._terminal.line("  " + _as_line(row, now))

    def __rich__(self) -> RenderableType:
        now = time.monotonic()
        parts = [f"{self._what} {self.seconds:.0f} s"]
        if self.resources.rows:
            parts.append(f"{len(self.resources.done)} resources done, {len(self.resources.active)} in work")
        self._spinner.update(text=_one_line("  ".join((*parts, self._note)).rstrip()))
        slow = [row for row in self.resources.active if row.seconds(now) >= SLOW]
        return Group(self._spinner, *(_one_line(_in_columns(row, now)) for row in slow[:ROWS_SHOWN]))


def _one_line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _in_columns(row: Row, now: float) -> str:
    """The columns stay where they are, whatever the rows."""
    return f"  {row.operation:<8}{row.name:<28}{row.seconds(now):>5.0f} s  {row.message or row.kind}"


def _as_line(row: Row, now: float) -> str:
    if row.ended is None:
        return f"{row.operation} {row.kind} {row.name}: {row.message}"
    outcome = "failed after" if row.failed else "done in"
    return f"{row.operation} {row.kind} {row.name}: {outcome} {row.seconds(now):.1f} s"

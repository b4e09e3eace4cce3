"""What a verb shows while it works: live at a terminal, plain lines with the time of day in a pipe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pulumi.automation import EngineEvent
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from goldfleet.cli.resource_table import ResourceTable, Row

ROWS_SHOWN = 12


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
        note = f"  {self._note}" if self._note else ""
        done = len(self.resources.done)
        count = f"  {done} of {len(self.resources.rows)} resources" if self.resources.rows else ""
        self._spinner.update(text=Text(f"{self._what} {self.seconds:.0f} s{count}{note}"))
        table = Table.grid(padding=(0, 2))
        for row in self.resources.active[:ROWS_SHOWN]:
            table.add_row(f"  {row.operation}", row.kind, row.name, f"{row.seconds(now):.0f} s", Text(row.message))
        return Group(self._spinner, table)


def _as_line(row: Row, now: float) -> str:
    if row.ended is None:
        return f"{row.operation} {row.kind} {row.name}: {row.message}"
    outcome = "failed after" if row.failed else "done in"
    return f"{row.operation} {row.kind} {row.name}: {outcome} {row.seconds(now):.1f} s"

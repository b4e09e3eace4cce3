"""A line and its verdict, as a row of the table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rich.table import Table

from chaos.fault import Fault
from chaos.line import Line
from chaos.verdicts import HEALTH_BOUND

FAILURES_TOLD = 100
FIGURES = ("sent", "failed", "repeated", "wrong", "lost", "failing", "seconds")
COLUMNS = ("fault", *FIGURES, "promise")


class Verdict(StrEnum):
    """Whether a promise held."""

    KEPT = "kept"
    BROKEN = "BROKEN"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """What came of one fault in one round.

    Args:
        fault: which.
        round: which, from 1.
        line: what was seen; None if this machine does not allow the fault.
        broken: each way in which the promise was broken.
        skipped: why it was not tried.
    """

    fault: Fault
    round: int
    line: Line | None
    broken: tuple[str, ...]
    skipped: str = ""

    @property
    def verdict(self) -> Verdict:
        if self.line is None:
            return Verdict.SKIPPED
        return Verdict.BROKEN if self.broken else Verdict.KEPT

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not kept."""
        return (self.skipped,) if self.skipped else self.broken

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = {
            "fault": self.fault.name,
            "round": self.round,
            "promise": self.fault.promise,
            "published": self.fault.published,
            "verdict": self.verdict.value,
            "broken": list(self.broken),
            "skipped": self.skipped,
        }
        return told | (_seen(self.line) if self.line else {})


def _seen(line: Line) -> dict[str, Any]:
    return {
        "requests": line.tally.requests,
        "failed": len(line.failed),
        "failed_when": line.failed_when(HEALTH_BOUND),
        "failed_repeated": len(line.failed_repeated),
        "wrong": len(line.wrong),
        "retried": line.tally.retried,
        "reopened": line.tally.reopened,
        "milliseconds": _milliseconds(line),
        "seconds": round(line.seconds, 2),
        "out_of_service": round(line.out_of_service, 2),
        "moments": {moment: round(at, 2) for moment, at in line.moments.items()},
        "facts": dict(line.facts),
        "audit": asdict(line.audit) if line.audit else None,
        "kinds": dict(Counter(f"{one.kind.value}: {one.detail}" for one in line.tally.failures)),
        "failures": [asdict(one) for one in line.tally.failures[:FAILURES_TOLD]],
        "clones": dict(line.tally.clones),
    }


def _milliseconds(line: Line) -> dict[str, float]:
    """What a request took, with its repetitions: half of them at most, 99 of 100, all."""
    took = sorted(line.tally.seconds)
    at = {"p50": len(took) // 2, "p99": len(took) * 99 // 100, "max": len(took) - 1}
    return {name: round(1000 * took[index], 1) for name, index in at.items()} if took else {}


def table(results: Sequence[Result]) -> Table:
    """For people; every figure is of the local cloud."""
    shown = Table(
        box=None,
        pad_edge=False,
        collapse_padding=True,
        header_style="bold",
        title="local, by fault",
        title_justify="left",
    )
    for column in COLUMNS:
        shown.add_column(column, justify="right" if column in FIGURES else "left", no_wrap=True)
    for result in results:
        shown.add_row(result.fault.name, *_figures(result.line), result.verdict.value)
    return shown


def legend(results: Sequence[Result]) -> Iterator[str]:
    """What the names in the table mean, what was broken, and what AWS publishes; a fault once, however many rounds."""
    for fault in {result.fault.name: result.fault for result in results}.values():
        yield f"{fault.name}: {fault.what}"
        yield f"  promise: {fault.promise}"
        yield f"  AWS publishes: {fault.published}"
        for result in results:
            if result.fault.name == fault.name:
                yield from (f"  {result.verdict.value} in round {result.round}: {why}" for why in result.reasons)


def _figures(line: Line | None) -> tuple[str, ...]:
    if line is None:
        return ("-",) * len(FIGURES)
    lost = sum(line.audit.lost().values()) if line.audit else 0
    counts = (line.tally.requests, len(line.failed), len(line.failed_repeated), len(line.wrong), lost)
    return (*(f"{count:,}" for count in counts), f"{line.out_of_service:.1f}", f"{line.seconds:.1f}")

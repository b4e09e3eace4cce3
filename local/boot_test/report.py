"""What a boot test has found: one finding for each thing that must be true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One assertion.

    Args:
        name: what must be true.
        passed: whether it is.
        saw: what was seen, in one sentence.
    """

    name: str
    passed: bool
    saw: str


@dataclass(frozen=True)
class Report:
    """A whole test.

    Args:
        findings: in the order of the test.
        healthy_after: seconds from power-on to healthy; None: it never was.
        console: what the first machine said on its console.
    """

    findings: Sequence[Finding]
    healthy_after: float | None
    console: str

    @property
    def passed(self) -> bool:
        return bool(self.findings) and all(finding.passed for finding in self.findings)

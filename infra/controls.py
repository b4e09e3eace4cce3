"""Security controls: which hold, where, and why the others do not. `python -m infra.controls` writes the page.

Source of the ids: AWS Foundational Security Best Practices, and a few of the NIST and CIS standards.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
TABLE, PAGE = DOCS / "controls.toml", DOCS / "controls.md"

STATUSES = {
    "applies": "Holds in every stack, unless the reason says otherwise; a test reads each.",
    "account-level": "A switch of the account, which other stacks share: not this project's to turn.",
    "costs-money": "Left to you, because it is billed.",
    "not-applicable": "Does not concern this stack.",
}


@dataclass(frozen=True)
class Control:
    """One control: its id, one of `STATUSES`, why, and the file that makes it hold."""

    id: str
    status: str
    reason: str
    where: str = ""


def controls() -> list[Control]:
    """All controls, as `docs/controls.toml` lists them."""
    return [Control(id=key, **row) for key, row in tomllib.loads(TABLE.read_text()).items()]


def page() -> str:
    """The page, one table per status."""
    lines = ["# Security controls", "", "Written by `python -m infra.controls` from `controls.toml`; do not edit."]
    for status, meaning in STATUSES.items():
        rows = [control for control in controls() if control.status == status]
        lines += ["", f"## {status}", "", meaning, "", "| control | reason | where |", "|---|---|---|"]
        lines += [f"| {row.id} | {row.reason} | {f'`{row.where}`' if row.where else ''} |" for row in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())

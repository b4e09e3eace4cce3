"""The project's pages, and the console blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from goldfleet.cli.checkout import CHECKOUT

PAGES = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")])


def name_of(page: Path) -> str:
    return page.relative_to(CHECKOUT).as_posix()


@dataclass(frozen=True)
class Console:
    """One command of a console block, and the output that the page shows."""

    command: str
    output: str


def consoles(page: Path) -> list[Console]:
    """The commands of all blocks that are marked `console`; a command begins with `$ `."""
    blocks = re.findall(r"^( *)```console\n(.*?)^ *```", page.read_text(), re.DOTALL | re.MULTILINE)
    found = []
    for indent, block in blocks:
        text = re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            while command.endswith("\\"):
                more, _, output = output.partition("\n")
                command = command[:-1].rstrip() + " " + more.strip()
            found.append(Console(command, output))
    return found


@pytest.fixture(params=PAGES, ids=name_of)
def page(request: pytest.FixtureRequest) -> Path:
    """Each page in turn."""
    path: Path = request.param
    return path

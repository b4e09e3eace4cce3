"""What the README shows is what the commands print, where they are cheap enough to be run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from goldfleet.cli.checkout import CHECKOUT
from tests.docs.conftest import Console, consoles

CHEAP = ("goldfleet --help", "make help", "goldfleet scale 99", "goldfleet scale abc")
SHOWN = [one for one in consoles(CHECKOUT / "README.md") if one.command in CHEAP]
LEFT_OUT = "…"
SETTINGS = CHECKOUT / "Pulumi.local.yaml"


@pytest.mark.parametrize("console", SHOWN, ids=lambda console: console.command)
def test_the_output_is_as_shown(console: Console) -> None:
    before = SETTINGS.read_bytes()
    printed = output_of(console.command)
    assert re.fullmatch(as_pattern(console.output), printed, re.DOTALL), f"{console.command} printed:\n{printed}"
    assert SETTINGS.read_bytes() == before


def test_the_cheap_ones_are_shown() -> None:
    assert {one.command for one in SHOWN} >= {"goldfleet --help", "goldfleet scale 99", "goldfleet scale abc"}


def test_the_first_commands_are_the_promised_ones() -> None:
    commands = [one.command for one in consoles(CHECKOUT / "README.md")]
    assert commands[:2] == ["make up", "make test"]


def output_of(command: str) -> str:
    """What a command prints on 80 columns, first its output, then its errors; times of day as zeros."""
    program, *arguments = shlex.split(command)
    start = [sys.executable, "-m", "goldfleet.cli"] if program == "goldfleet" else [program]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [*start, *arguments],
        cwd=CHECKOUT,
        env={**kept, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return without_times(done.stdout + done.stderr)


def as_pattern(shown: str) -> str:
    """A line that holds nothing but the mark stands for any lines."""
    parts = without_times(shown).split(f"{LEFT_OUT}\n")
    return ".*".join(map(re.escape, parts))


def without_times(text: str) -> str:
    return re.sub(r"^\d\d:\d\d:\d\d ", "00:00:00 ", text, flags=re.MULTILINE)


def test_a_wrong_line_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ make up\n10:11:12 one\n…\nthree\n```\n")
    (shown,) = consoles(page)
    assert re.fullmatch(as_pattern(shown.output), "00:00:00 one\ntwo\nthree\n", re.DOTALL)
    assert not re.fullmatch(as_pattern(shown.output), "00:00:00 one\ntwo\nfour\n", re.DOTALL)

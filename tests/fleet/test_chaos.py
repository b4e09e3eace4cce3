"""`goldfleet chaos`: under each fault the promises hold, and what is broken is put together again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from chaos.faults import ALL
from tests.fleet.cloud import Cloud, wait

SMALL = ("clone-killed", "cache-flushed")
"""By `make test`; the others' behaviour is tested there without a load of thousands."""
LONGEST = 21_600
"""Seconds for all of it, at full counts."""


@pytest.mark.timeout(LONGEST)
def test_the_promises_hold(
    cloud: Cloud, counts: Callable[[int, int], int], tell: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    prove = bool(request.config.getoption("--prove"))
    names = [fault.name for fault in ALL] if prove else SMALL
    chosen = [word for name in names for word in ("--only", name)]
    numbers = ["--requests", str(counts(300, 50_000)), "--rounds", str(counts(1, 3))]
    done = cloud.run("chaos", *chosen, *numbers, seconds=LONGEST)
    for line in done.text.partition("\nlocal, by fault")[2].splitlines()[1:]:
        tell(line)
    assert done.code == 0, done.text
    lines = json.loads((cloud.folder / ".local" / "chaos.json").read_text())["lines"]
    assert len(lines) == len(names) * counts(1, 3)
    for line in lines:
        assert line["verdict"] in {"kept", "skipped"}
        assert line.get("wrong", 0) == 0


def test_an_interrupt_leaves_the_fleet_whole(cloud: Cloud) -> None:
    before = set(cloud.clones())
    settings = (cloud.folder / "Pulumi.local.yaml").read_bytes()
    with cloud.start("chaos", "--only", "clone-frozen", "--requests", "1000") as process:
        assert process.stdout
        said = ""
        while "SIGSTOP to" not in said:
            said = process.stdout.readline()
            assert said, "it ended by itself"
        os.killpg(process.pid, signal.SIGINT)
        text, _ = process.communicate(timeout=180)
    assert process.returncode == 130, text
    assert "Traceback" not in text
    wait(lambda: len(cloud.clones()) == len(before), 90)
    assert all(process.alive for process in cloud.processes())
    assert (cloud.folder / "Pulumi.local.yaml").read_bytes() == settings


def test_misuse(cloud: Cloud) -> None:
    for arguments, words in (
        (("--only", "nothing"), "there is no such fault"),
        (("--requests", "0"), "not a whole number from 1"),
        (("-s", "dev"), "for the stack local only"),
    ):
        done = cloud.run("chaos", *arguments)
        assert done.code == 2, done.text
        assert words in done.text

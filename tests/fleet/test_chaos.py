"""`goldfleet chaos`: under each fault the promises hold, and what is broken is put together again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable

import pytest

from chaos.faults import ALL
from tests.fleet.cloud import Cloud, wait

LONGEST = 3600
"""Seconds for one fault, at full counts."""


@pytest.mark.timeout(LONGEST)
@pytest.mark.parametrize("fault", [fault.name for fault in ALL])
def test_the_promise_holds(
    cloud: Cloud, counts: Callable[[int, int], int], tell: Callable[[str], None], fault: str
) -> None:
    rounds = counts(1, 3)
    numbers = ["--requests", str(counts(300, 50_000)), "--rounds", str(rounds)]
    done = cloud.run("chaos", "--only", fault, *numbers, seconds=LONGEST)
    header = ("fault ",) if fault == ALL[0].name else ()
    for line in done.text.splitlines():
        if line.startswith((*header, f"{fault} ")):
            tell(line)
    assert done.code == 0, done.text
    lines = json.loads((cloud.folder / ".local" / "chaos.json").read_text())["lines"]
    assert [line["fault"] for line in lines] == [fault] * rounds
    assert {line["verdict"] for line in lines} <= {"kept", "skipped"}
    assert not any(line.get("wrong") for line in lines)


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

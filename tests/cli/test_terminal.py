from __future__ import annotations

import re
from io import StringIO

import pytest
from pulumi.automation import EngineEvent, ResourcePreEvent
from pulumi.automation.events import OpType, StepEventMetadata, StepEventStateMetadata
from rich.console import Console

from goldfleet.cli import terminal
from goldfleet.cli.terminal import Terminal

URN = "urn:pulumi:local::goldfleet::aws:ec2/vpc:Vpc::network"


def begins() -> EngineEvent:
    state = StepEventStateMetadata(type="aws:ec2/vpc:Vpc", urn=URN, id="", parent="", provider="", custom=True)
    step = StepEventMetadata(op=OpType.CREATE, urn=URN, type=state.type, provider="", new=state)
    return EngineEvent(sequence=0, timestamp=0, resource_pre_event=ResourcePreEvent(step))


def shown(*, to_terminal: bool, width: int = 100) -> str:
    out = StringIO()
    console = Console(file=out, force_terminal=to_terminal, width=width, highlight=False, soft_wrap=True)
    with Terminal(console).step("pulumi up") as step:
        step.on_event(begins())
        step.note("almost there")
        step.note("almost there")
    return out.getvalue()


def test_a_pipe_gets_lines_with_the_time_of_day_and_each_note_once() -> None:
    lines = shown(to_terminal=False).splitlines()
    assert [re.sub(r"\d\.\d", "N", line[9:]) for line in lines] == [
        "pulumi up ...",
        "  almost there",
        "pulumi up: done in N s",
    ]
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)


def test_a_terminal_sees_what_is_being_made_while_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "SLOW", 0.0)
    text = shown(to_terminal=True)
    assert "0 resources done, 1 in work" in text
    assert re.search(r"  create  network  +0 s  ec2/vpc:Vpc", text)
    assert "almost there" in text
    assert text.rstrip().endswith("s")


def test_what_is_done_at_once_gets_no_row() -> None:
    assert "ec2/vpc:Vpc" not in shown(to_terminal=True)


def test_a_narrow_terminal_gets_shorter_lines_not_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "SLOW", 0.0)
    live = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(to_terminal=True, width=40)).rpartition("pulumi up: done")[0]
    assert max(len(line) for line in re.split(r"[\r\n]+", live)) <= 40
    assert "…" in live


def test_a_step_that_fails_is_not_called_done() -> None:
    out = StringIO()
    with pytest.raises(ValueError, match="no"), Terminal(Console(file=out)).step("pulumi up"):
        raise ValueError("no")
    assert "done" not in out.getvalue()

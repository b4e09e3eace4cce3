from __future__ import annotations

import re
from io import StringIO

import pytest
from pulumi.automation import EngineEvent, ResourcePreEvent
from pulumi.automation.events import OpType, StepEventMetadata, StepEventStateMetadata
from rich.console import Console

from goldfleet.cli.terminal import Terminal

URN = "urn:pulumi:local::goldfleet::aws:ec2/vpc:Vpc::network"


def begins() -> EngineEvent:
    state = StepEventStateMetadata(type="aws:ec2/vpc:Vpc", urn=URN, id="", parent="", provider="", custom=True)
    step = StepEventMetadata(op=OpType.CREATE, urn=URN, type=state.type, provider="", new=state)
    return EngineEvent(sequence=0, timestamp=0, resource_pre_event=ResourcePreEvent(step))


def shown(*, terminal: bool) -> str:
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, highlight=False, soft_wrap=True)
    with Terminal(console).step("pulumi up") as step:
        step.on_event(begins())
        step.note("almost there")
        step.note("almost there")
    return out.getvalue()


def test_a_pipe_gets_lines_with_the_time_of_day_and_each_note_once() -> None:
    lines = shown(terminal=False).splitlines()
    assert [re.sub(r"\d\.\d", "N", line[9:]) for line in lines] == [
        "pulumi up ...",
        "  almost there",
        "pulumi up: done in N s",
    ]
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in lines)


def test_a_terminal_sees_what_is_being_made_while_it_is() -> None:
    text = shown(terminal=True)
    assert "0 of 1 resources" in text
    assert "ec2/vpc:Vpc" in text
    assert "almost there" in text
    assert text.rstrip().endswith("s")


def test_a_step_that_fails_is_not_called_done() -> None:
    out = StringIO()
    with pytest.raises(ValueError, match="no"), Terminal(Console(file=out)).step("pulumi up"):
        raise ValueError("no")
    assert "done" not in out.getvalue()

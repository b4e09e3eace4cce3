from __future__ import annotations

from pulumi.automation import DiagnosticEvent, EngineEvent, ResOpFailedEvent, ResourcePreEvent, ResOutputsEvent
from pulumi.automation.events import OpType, StepEventMetadata, StepEventStateMetadata

from goldfleet.cli.resource_table import ResourceTable

URN = "urn:pulumi:local::goldfleet::aws:ec2/vpc:Vpc::network"


def step(op: OpType, kind: str = "aws:ec2/vpc:Vpc", *, custom: bool = True) -> StepEventMetadata:
    state = StepEventStateMetadata(type=kind, urn=URN, id="", parent="", provider="", custom=custom)
    return StepEventMetadata(op=op, urn=URN, type=kind, provider="", new=state)


def pre(metadata: StepEventMetadata) -> EngineEvent:
    return EngineEvent(sequence=0, timestamp=0, resource_pre_event=ResourcePreEvent(metadata))


def done(metadata: StepEventMetadata) -> EngineEvent:
    return EngineEvent(sequence=0, timestamp=0, res_outputs_event=ResOutputsEvent(metadata))


def said(message: str, severity: str = "info") -> EngineEvent:
    return EngineEvent(
        sequence=0, timestamp=0, diagnostic_event=DiagnosticEvent(message, "never", severity, urn=URN, ephemeral=True)
    )


def test_a_resource_is_active_until_its_outputs_are_there() -> None:
    table = ResourceTable()
    assert table.apply(pre(step(OpType.CREATE)), 1.0) is None
    assert [(row.operation, row.kind, row.name, row.seconds(3.0)) for row in table.active] == [
        ("create", "ec2/vpc:Vpc", "network", 2.0)
    ]
    row = table.apply(done(step(OpType.CREATE)), 4.5)
    assert row
    assert row.seconds(99) == 3.5
    assert (table.active, table.done) == ([], [row])


def test_a_failure_is_marked() -> None:
    table = ResourceTable()
    table.apply(pre(step(OpType.UPDATE)), 0.0)
    failed = EngineEvent(
        sequence=0, timestamp=0, res_op_failed_event=ResOpFailedEvent(step(OpType.UPDATE), status=0, steps=1)
    )
    row = table.apply(failed, 1.0)
    assert row
    assert row.failed


def test_what_does_not_change_and_what_is_no_resource_of_aws_is_left_out() -> None:
    table = ResourceTable()
    table.apply(pre(step(OpType.SAME)), 0.0)
    table.apply(pre(step(OpType.CREATE, "goldfleet:infra:Network", custom=False)), 0.0)
    table.apply(pre(step(OpType.CREATE, "pulumi:providers:aws")), 0.0)
    assert table.rows == {}


def test_what_a_provider_says_is_news_once() -> None:
    table = ResourceTable()
    table.apply(pre(step(OpType.CREATE)), 0.0)
    assert table.apply(said("debugging", "debug"), 0.0) is None
    assert table.apply(said("1 of 2 clones"), 0.0) is table.rows[URN]
    assert table.apply(said("1 of 2 clones "), 0.0) is None
    assert table.rows[URN].message == "1 of 2 clones"

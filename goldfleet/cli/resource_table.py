"""What the engine's events say about resources: which are worked on, for how long, which are done, what went wrong."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi.automation import EngineEvent, StepEventMetadata

_QUIET = frozenset({"same", "read", "refresh", "discard"})


@dataclass
class Row:
    """One resource that is being changed, or was.

    Args:
        operation: `create`, `update`, `delete`, `replace`, ...
        kind: its type, short: `ec2/vpc:Vpc`.
        started, ended: seconds on the caller's clock; `ended` is None while it is worked on.
        message: the last thing that its provider said.
    """

    operation: str
    kind: str
    name: str
    started: float
    ended: float | None = None
    failed: bool = False
    message: str = ""

    def seconds(self, now: float) -> float:
        return (self.ended or now) - self.started


class ResourceTable:
    """The rows by URN, kept up to date by `apply`."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    @property
    def active(self) -> list[Row]:
        return [row for row in self.rows.values() if row.ended is None]

    @property
    def done(self) -> list[Row]:
        return [row for row in self.rows.values() if row.ended is not None]

    def apply(self, event: EngineEvent, now: float) -> Row | None:
        """Takes one event; returns the row that is worth a line of its own: begun to speak, done, or failed."""
        if event.resource_pre_event and not event.resource_pre_event.planning:
            self._begin(event.resource_pre_event.metadata, now)
        elif event.res_outputs_event and not event.res_outputs_event.planning:
            return self._end(event.res_outputs_event.metadata, now, failed=False)
        elif event.res_op_failed_event:
            return self._end(event.res_op_failed_event.metadata, now, failed=True)
        elif event.diagnostic_event and event.diagnostic_event.severity in {"info", "info#err"}:
            return self._say(event.diagnostic_event.urn or "", event.diagnostic_event.message)
        return None

    def _begin(self, metadata: StepEventMetadata, now: float) -> None:
        operation = str(metadata.op.value)
        state = metadata.new or metadata.old
        if operation not in _QUIET and state and state.custom and not metadata.type.startswith("pulumi:"):
            name = metadata.urn.rpartition("::")[2]
            self.rows[metadata.urn] = Row(operation, metadata.type.removeprefix("aws:"), name, now)

    def _end(self, metadata: StepEventMetadata, now: float, *, failed: bool) -> Row | None:
        row = self.rows.get(metadata.urn)
        if row is None or row.ended is not None:
            return None
        row.ended, row.failed = now, failed
        return row

    def _say(self, urn: str, message: str) -> Row | None:
        row = self.rows.get(urn)
        text = " ".join(message.split())
        if row is None or not text or row.message == text:
            return None
        row.message = text
        return row

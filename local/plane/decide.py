"""What should run and what runs -> what to do next. Pure: no clock, no process, no AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local.plane import node_rules
from local.plane.running import Phase, Running, Unit
from local.plane.wanted import Clone, Database, Main, Membership, Sidecar, Spec, StoreNode, Wanted


@dataclass(frozen=True)
class Start:
    """Start it, with the data it has."""

    spec: Spec


@dataclass(frozen=True)
class Change:
    """Make a running one what AWS says now."""

    before: Spec
    spec: Spec


@dataclass(frozen=True)
class Stop:
    """End it; with `forget`, its data goes too."""

    spec: Spec
    forget: bool


@dataclass(frozen=True)
class CutOff:
    """End it at once, as the loss of its machine would; it keeps its data."""

    spec: Spec


@dataclass(frozen=True)
class ReportImpaired:
    """Tell RDS that the machine of a Multi-AZ database in this zone is lost: its standby takes over."""

    identifier: str
    zone: str


GIVES_UP = 5.0
"""Seconds that a machine tries to start its app; a real one needs half a minute for five starts."""


@dataclass(frozen=True)
class ReportUnhealthy:
    """Tell its Auto Scaling group, which replaces it."""

    instance_id: str
    reason: str


UnitAction = Start | Change | Stop | CutOff
Action = UnitAction | ReportUnhealthy | ReportImpaired


def decide(wanted: Wanted, running: Running, now: float) -> tuple[Action, ...]:
    """All actions that are due; at most one for each unit, none for a busy one.

    Args:
        wanted: what AWS says should run.
        running: what runs.
        now: seconds of the clock that `running` was written with.
    """
    return (
        *_starts(wanted, running, now),
        *_stops(wanted, running, now),
        *_impaired(wanted, running),
        *_reports(wanted, running, now),
    )


def _starts(wanted: Wanted, running: Running, now: float) -> Iterator[UnitAction]:
    for spec in wanted.specs:
        unit = running.units.get(spec.name)
        if unit is None:
            if _can_start(spec, running):
                yield Start(spec)
        elif now < unit.retry_at:
            continue
        elif unit.phase is Phase.DOWN:
            if _can_return(spec, unit, running):
                yield Start(spec)
        elif unit.phase is Phase.RUNNING and unit.spec != spec:
            yield from _change(unit, spec, running)


def _change(unit: Unit, spec: Spec, running: Running) -> Iterator[UnitAction]:
    match unit.spec, spec:
        case StoreNode() as before, StoreNode():
            if node_rules.is_replaced(unit, spec):
                yield Stop(before, forget=not spec.keeps_data)
            elif node_rules.may_change(before, spec, running):
                yield Change(before, spec)
        case _:
            yield Change(unit.spec, spec)


def _can_return(spec: Spec, unit: Unit, running: Running) -> bool:
    """What went down starts again, unless AWS has something to say to it first."""
    if isinstance(spec, StoreNode):
        return node_rules.is_replaced(unit, spec) and node_rules.may_start(spec, running)
    return not _waits_for_standby(spec, unit) and (unit.started or _can_start(spec, running))


def _can_start(spec: Spec, running: Running) -> bool:
    """The first time: a replica copies its main, a sidecar reads what its clone was told."""
    match spec:
        case StoreNode():
            return node_rules.may_start(spec, running)
        case Database(source=Main(main)):
            return running.is_running(f"rds-{main}")
        case Sidecar(clone):
            return running.is_running(clone.name)
        case _:
            return True


def _waits_for_standby(spec: Spec, unit: Unit) -> bool:
    """A Multi-AZ database that went down starts again in its other zone only."""
    match spec, unit.spec:
        case Database(multi_az=True, zone=zone), Database(zone=was) if unit.started:
            return zone == was
    return False


def _stops(wanted: Wanted, running: Running, now: float) -> Iterator[UnitAction]:
    names = {spec.name for spec in wanted.specs}
    for name, unit in running.units.items():
        idle = unit.phase is not Phase.BUSY and now >= unit.retry_at
        if name in wanted.cut_off:
            if unit.phase is Phase.RUNNING:
                yield CutOff(unit.spec)
        elif name not in names and idle and _can_stop(unit, running):
            yield Stop(unit.spec, forget=name not in wanted.paused)


def _can_stop(unit: Unit, running: Running) -> bool:
    """A clone stops when the balancer has let go of it, its sidecar after it, a main after its replicas."""
    match unit.spec:
        case Clone(instance_id=instance_id):
            return instance_id not in running.serving
        case Sidecar(clone):
            return clone.name not in running.units
        case Database(identifier=identifier, source=None):
            return not any(_follows(other.spec, identifier) for other in running.units.values())
        case _:
            return True


def _follows(spec: Spec, main: str) -> bool:
    return isinstance(spec, Database) and spec.source is not None and spec.source.identifier == main


def _impaired(wanted: Wanted, running: Running) -> Iterator[ReportImpaired]:
    for spec in wanted.databases:
        unit = running.units.get(spec.name)
        if unit is not None and unit.phase is Phase.DOWN and _waits_for_standby(spec, unit):
            yield ReportImpaired(spec.identifier, spec.zone)


def _reports(wanted: Wanted, running: Running, now: float) -> Iterator[ReportUnhealthy]:
    for member in wanted.memberships:
        reason = _complaint(member, running, now)
        if reason and member.healthy and member.instance_id not in running.reported:
            yield ReportUnhealthy(member.instance_id, reason)


def _complaint(member: Membership, running: Running, now: float) -> str | None:
    """Why a member should be replaced, or None; a failing health check the group sees for itself.

    A machine whose app cannot start tries for a while, then powers itself off, which its group sees at once. So a
    clone that is dead and never passed a check is not reported before that: a release that cannot start is not tried
    as fast as this computer allows.
    """
    unit = running.units.get(member.instance_id)
    if unit is None or unit.phase is not Phase.ENDED:
        return None
    may_be_starting = now - unit.created < GIVES_UP and member.instance_id not in running.healthy_once
    return None if may_be_starting else "its process ended"


def store_statuses(wanted: Wanted, running: Running) -> dict[str, dict[str, str]]:
    """What to report of every store: `{"rds": {id: status}, "elasticache": {group: status}}`."""
    databases = {spec.identifier: _database_status(spec, running.units.get(spec.name)) for spec in wanted.databases}
    groups: dict[str, list[Unit | None]] = {}
    for node in wanted.nodes:
        groups.setdefault(node.group, []).append(running.units.get(node.name))
    return {
        "rds": databases,
        "elasticache": {group: _status(units, "create-failed") for group, units in groups.items()},
    }


def _database_status(spec: Database, unit: Unit | None) -> str:
    status = _status([unit], "failed")
    if status != "available" or unit is None or not isinstance(unit.spec, Database):
        return status
    if unit.spec.zone != spec.zone:
        return "starting"
    return "modifying" if unit.spec.source and not spec.source else status


def _status(units: list[Unit | None], failed: str) -> str:
    if any(unit is not None and unit.crash_looping for unit in units):
        return failed
    if all(unit is not None and (unit.phase is Phase.RUNNING or unit.started) for unit in units):
        return "available"
    return "creating"

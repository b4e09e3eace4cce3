"""The life of a target: probed until it passes, in rotation, drained, gone. Pure.

As an ALB does: a new target is healthy after one passed check; later it takes the group's thresholds, which HAProxy's
own checks count. A target that is deregistered, or whose instance was terminated, gets no new request and is let go
when those that run are done or the deregistration delay is over.
Source: AWS, "Health checks for Application Load Balancer target groups" and "Edit target group attributes".
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from local.plane.haproxy_api import FAILED, Inventory, Server
from local.plane.wanted_balancing import Target, TargetGroup

FIRST_PROBES = 0.25
"""Seconds between probes of a new target; an ALB takes the group's interval, a person should not have to wait."""

Key = tuple[str, str]
"""Target group's ARN and instance id."""


class Stage(enum.Enum):
    """PROBED: not in rotation yet. DRAINING: no new requests."""

    PROBED = "probed"
    IN_ROTATION = "in rotation"
    DRAINING = "draining"


@dataclass(frozen=True)
class Member:
    """A target and where it stands.

    Args:
        target: as AWS says.
        group: its target group, whose name is the backend's.
        stage: where it stands.
        since: when it got there, in seconds of a monotonic clock.
        passes: probes passed in a row.
        probe_at: when to probe next.
        probing: True while a probe is under way.
        failure: what the last probe got that failed.
        told: True once HAProxy knows that the target drains.
    """

    target: Target
    group: TargetGroup
    stage: Stage
    since: float
    passes: int = 0
    probe_at: float = 0.0
    probing: bool = False
    failure: Server = field(default_factory=lambda: Server(up=False, reason=FAILED))
    told: bool = False

    @property
    def server(self) -> tuple[str, str]:
        """Names of its backend and server in HAProxy."""
        return self.group.name, self.target.instance_id


@dataclass(frozen=True)
class Probe:
    """Ask the target's health path once."""

    member: Member


@dataclass(frozen=True)
class Admit:
    """Put it into rotation."""

    member: Member


@dataclass(frozen=True)
class Drain:
    """Send no new requests."""

    member: Member


@dataclass(frozen=True)
class Remove:
    """Take a server away."""

    backend: str
    server: str


Step = Probe | Admit | Drain | Remove


def key(target: Target) -> Key:
    return target.group, target.instance_id


def members(
    groups: Mapping[str, TargetGroup], targets: frozenset[Target], known: Mapping[Key, Member], now: float
) -> dict[Key, Member]:
    """The members after AWS was asked: new ones are probed, those that left drain, those that came back are new."""
    result: dict[Key, Member] = {}
    for target in targets:
        group = groups.get(target.group)
        if group is not None:
            before = known.get(key(target))
            same = before is not None and before.target == target and before.stage is not Stage.DRAINING
            fresh = Member(target, group, Stage.PROBED, now, probe_at=now)
            result[key(target)] = replace(before, group=group) if before is not None and same else fresh
    for name, member in known.items():
        if name not in result and member.stage is not Stage.PROBED:
            left = replace(member, stage=Stage.DRAINING, since=now)
            result[name] = member if member.stage is Stage.DRAINING else left
    return result


def steps(known: Mapping[Key, Member], has: Inventory | None, now: float) -> Iterator[Step]:
    """What to do now.

    Args:
        known: the members.
        has: what HAProxy has; None while it does not run.
        now: seconds of the clock that the members were written with.
    """
    for member in known.values():
        if member.stage is Stage.PROBED:
            if not member.probing and now >= member.probe_at:
                yield Probe(member)
        elif has is not None and member.group.name in has.backends:
            yield from _towards(member, has.servers.get(member.server), now)
    wanted = {member.server for member in known.values()}
    for backend, server in (has.servers if has else {}).keys() - wanted:
        yield Remove(backend, server)


def _towards(member: Member, server: Server | None, now: float) -> Iterator[Step]:
    if member.stage is Stage.IN_ROTATION:
        if server is None:
            yield Admit(member)
    elif server is not None:
        if not member.told:
            yield Drain(member)
        elif server.open == 0 or now - member.since >= member.group.drain:
            yield Remove(*member.server)


def gone(known: Mapping[Key, Member], has: Inventory | None) -> frozenset[Key]:
    """Draining members that HAProxy has let go."""
    servers = has.servers if has else {}
    return frozenset(
        name for name, member in known.items() if member.stage is Stage.DRAINING and member.server not in servers
    )


def probed(member: Member, seen: Server, now: float) -> Member:
    """The member after a probe, which saw its server so: in rotation after enough passed ones."""
    member = member if seen.up else replace(member, failure=seen)
    passes = member.passes + 1 if seen.up else 0
    first = is_first(member, now)
    if passes >= (1 if first else member.group.check.healthy):
        return replace(member, stage=Stage.IN_ROTATION, since=now, probing=False, passes=passes)
    pause = FIRST_PROBES if first else member.group.check.interval
    return replace(member, passes=passes, probe_at=now + pause, probing=False)


def is_first(member: Member, now: float) -> bool:
    """True while an ALB would still call the target initial."""
    return now - member.since <= member.group.check.interval * member.group.check.unhealthy


def states(known: Mapping[Key, Member], has: Inventory | None, now: float) -> dict[str, dict[str, dict[str, str]]]:
    """What to report: `{target group ARN: {instance id: {"state", "reason", "status"}}}`, in ELBv2's words."""
    result: dict[str, dict[str, dict[str, str]]] = {}
    for (arn, instance_id), member in known.items():
        # While HAProxy is away nobody has said that a target is not healthy any more.
        server = has.servers.get(member.server) if has else Server(up=True)
        result.setdefault(arn, {})[instance_id] = _state(member, server, now)
    return result


def _state(member: Member, server: Server | None, now: float) -> dict[str, str]:
    if member.stage is Stage.DRAINING:
        return {"state": "draining", "reason": "Target.DeregistrationInProgress"}
    if member.stage is Stage.PROBED and not is_first(member, now):
        return _unhealthy(member.failure)
    if member.stage is Stage.PROBED or server is None:
        return {"state": "initial", "reason": "Elb.InitialHealthChecking"}
    return {"state": "healthy"} if server.up else _unhealthy(server)


def _unhealthy(server: Server) -> dict[str, str]:
    status = {"status": server.status} if server.status else {}
    return {"state": "unhealthy", "reason": server.reason, **status}

"""What AWS says the load balancers should do, as values: frozen, comparable, without AWS's shapes."""

from __future__ import annotations

from dataclasses import dataclass

from local.plane.address import Address


@dataclass(frozen=True)
class HealthCheck:
    """A target group's health check; intervals and timeouts in seconds, `codes` as ELBv2's matcher writes them."""

    path: str
    interval: int
    timeout: int
    healthy: int
    unhealthy: int
    codes: str


@dataclass(frozen=True)
class TargetGroup:
    """A target group.

    Args:
        arn, name: as ELBv2 describes it.
        check: what it asks its targets.
        drain: deregistration delay, in seconds.
        algorithm: of load balancing, by ELBv2's name.
    """

    arn: str
    name: str
    check: HealthCheck
    drain: int
    algorithm: str = "round_robin"


@dataclass(frozen=True)
class Target:
    """A running instance that is registered with a target group, and where it answers."""

    group: str
    instance_id: str
    address: Address


@dataclass(frozen=True)
class Forward:
    """Sends a request to a target group."""

    target_group: str


@dataclass(frozen=True)
class Redirect:
    """Answers with a redirect; the parts are ELBv2's, with its `#{...}` placeholders."""

    protocol: str
    host: str
    port: str
    path: str
    query: str
    status: int


@dataclass(frozen=True)
class FixedResponse:
    """Answers by itself."""

    status: int
    content_type: str
    body: str


Rule = Forward | Redirect | FixedResponse


@dataclass(frozen=True)
class Listener:
    """A listener of a load balancer and its default action."""

    address: Address
    protocol: str
    rule: Rule


@dataclass(frozen=True)
class LoadBalancer:
    """An ALB; `idle_timeout` in seconds."""

    name: str
    listeners: tuple[Listener, ...]
    idle_timeout: int
    drop_invalid_headers: bool


@dataclass(frozen=True)
class Balancing:
    """All that the one HAProxy does."""

    load_balancers: tuple[LoadBalancer, ...] = ()
    target_groups: tuple[TargetGroup, ...] = ()

    @property
    def name(self) -> str:
        return "balancer"

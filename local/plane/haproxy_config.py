"""The configuration of the one HAProxy that stands in for all Application Load Balancers. Pure text.

No kinder than an ALB: nothing is tried twice, nothing waits in a queue. Even spread for `round_robin` and
`weighted_random`: an ALB promises it for both. Sources: AWS, "Application Load Balancer attributes", "HTTP headers and
Application Load Balancers", "Troubleshoot your Application Load Balancers"; HAProxy 2.8 configuration manual.
"""

from __future__ import annotations

from collections.abc import Iterable

from local.plane.request_log import FAIL_OPEN, LOG_FORMAT
from local.plane.wanted_balancing import (
    Balancing,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    Target,
    TargetGroup,
)

_CONNECT = 10
_CONNECTIONS = 2000
_ALGORITHMS = {"least_outstanding_requests": "leastconn"}
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PLACEHOLDERS = {
    "#{protocol}": "http",
    "#{host}": "%[req.hdr(host),field(1,:)]",
    "/#{path}": "%[path]",
    "#{query}": "%[query]",
}


def configuration(balancing: Balancing, in_rotation: Iterable[Target], socket: str, requests: str) -> str:
    """The whole file.

    Args:
        balancing: load balancers and target groups.
        in_rotation: the targets that get requests from the start.
        socket: path of the runtime API.
        requests: path of the socket that takes a line for each request.
    """
    targets = list(in_rotation)
    parts = [_global(socket, requests)]
    for balancer in balancing.load_balancers:
        parts += [_frontend(balancer, listener, balancing) for listener in balancer.listeners]
    for group in balancing.target_groups:
        members = [target for target in targets if target.group == group.arn]
        parts.append(_backend(group, members, _idle_timeout(group, balancing)))
    return "\n".join(parts)


def server_lines(target: Target, group: TargetGroup) -> dict[str, str]:
    """The two servers that a target is, by name, as the file and as the runtime API's `add server` take them.

    The second one has no health check and gets requests only while no first one is healthy: an ALB whose targets are
    all unhealthy asks all of them. Source: AWS, "Health checks for Application Load Balancer target groups".
    """
    check = group.check
    checked = f"check inter {check.interval}s rise {check.healthy} fall {check.unhealthy}"
    return {
        target.instance_id: f"{target.address} {checked}",
        target.instance_id + FAIL_OPEN: f"{target.address} backup",
    }


def _global(socket: str, requests: str) -> str:
    return f"""\
global
    maxconn {_CONNECTIONS}
    nbthread 1
    hard-stop-after 30s
    stats socket {_quoted(socket)} mode 600 level admin
defaults
    mode http
    retries 0
    http-reuse safe
    timeout connect {_CONNECT}s
    timeout http-request {_CONNECT}s
    log {_quoted(requests)} format raw local0
    log-format "{LOG_FORMAT}"
"""


def _frontend(balancer: LoadBalancer, listener: Listener, balancing: Balancing) -> str:
    lines = [
        f"frontend {balancer.name}:{listener.address.port}",
        f"bind {listener.address}",
        f"timeout client {balancer.idle_timeout}s",
        f"timeout http-keep-alive {balancer.idle_timeout}s",
    ]
    if balancer.drop_invalid_headers:
        lines.append("http-request del-header [^-A-Za-z0-9] -m reg")
    lines += [
        'http-request set-header X-Forwarded-For "%[req.fhdr(x-forwarded-for)], %[src]"'
        " if { req.fhdr(x-forwarded-for) -m found }",
        "http-request set-header X-Forwarded-For %[src] unless { req.fhdr(x-forwarded-for) -m found }",
        f"http-request set-header X-Forwarded-Proto {listener.protocol.lower()}",
        f"http-request set-header X-Forwarded-Port {listener.address.port}",
    ]
    return _section([*lines, *_action(listener, balancing)])


def _action(listener: Listener, balancing: Balancing) -> list[str]:
    match listener.rule:
        case Forward(target_group=arn):
            names = [group.name for group in balancing.target_groups if group.arn == arn]
            return [f"default_backend {name}" for name in names]
        case Redirect() as redirect:
            location = _location(redirect)
            plain = f"http-request redirect code {redirect.status} location"
            if redirect.query != "#{query}":
                query = f"?{redirect.query}" if redirect.query else ""
                return [f'{plain} "{location}{query}"']
            return [f'{plain} "{location}?%[query]" if {{ query -m found }}', f'{plain} "{location}"']
        case FixedResponse(status=status, content_type=content_type, body=body):
            kind = _quoted(content_type or "text/plain")
            return [f"http-request return status {status} content-type {kind} string {_quoted(body)}"]


def _location(redirect: Redirect) -> str:
    protocol = _filled(redirect.protocol).lower()
    port = redirect.port if redirect.port != "#{port}" else "%[dst_port]"
    shown = "" if port == _DEFAULT_PORTS.get(protocol) else f":{port}"
    return f"{protocol}://{_filled(redirect.host)}{shown}{_filled(redirect.path)}"


def _filled(part: str) -> str:
    for placeholder, sample in _PLACEHOLDERS.items():
        part = part.replace(placeholder, sample)
    return part


def _backend(group: TargetGroup, members: list[Target], idle_timeout: int) -> str:
    check = group.check
    lines = [
        f"backend {group.name}",
        f"balance {_ALGORITHMS.get(group.algorithm, 'roundrobin')}",
        f"timeout server {idle_timeout}s",
        f"timeout check {check.timeout}s",
        "option allbackups",
        "option httpchk",
        f"http-check send meth GET uri {check.path} ver HTTP/1.1 hdr Host health-check"
        " hdr User-Agent ELB-HealthChecker/2.0",
        f"http-check expect status {check.codes}",
        # An ALB says 503 only when it has no target; a target that cannot be reached is a bad gateway.
        "http-response set-var(txn.answered) bool(true)",
        'http-after-response set-status 502 reason "Bad Gateway"'
        " if { status 503 } !{ var(txn.answered) -m bool } { nbsrv gt 0 }",
    ]
    for target in members:
        lines += [f"server {name} {line}" for name, line in server_lines(target, group).items()]
    return _section(lines)


def _idle_timeout(group: TargetGroup, balancing: Balancing) -> int:
    """A target group belongs to one load balancer; to none: the default of an ALB."""
    for balancer in balancing.load_balancers:
        if Forward(group.arn) in [listener.rule for listener in balancer.listeners]:
            return balancer.idle_timeout
    return 60


def _section(lines: list[str]) -> str:
    return lines[0] + "\n" + "".join(f"    {line}\n" for line in lines[1:])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

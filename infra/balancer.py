"""The load balancer: the only part that the internet reaches, and the owner of the site's public URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from goldfleet.contract import deadlines, service
from goldfleet.contract.names import LOAD_BALANCER_LENGTH, TARGET_GROUP_LENGTH, Names
from infra.access import Access, AccessArgs
from infra.access_logs import AccessLogs, AccessLogsArgs
from infra.after import after
from infra.certificate import Certificate, CertificateArgs
from infra.settings.balancer import Balancer as BalancerSettings

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
HTTP, HTTPS = 80, 443


@dataclass(frozen=True)
class BalancerArgs:
    """Where the balancer is.

    Args:
        names: names of the stack.
        account_id: the account that access logs belong to.
        vpc_id: the VPC.
        subnet_ids: public subnets, one per zone.
        settings: the component's settings.
    """

    names: Names
    account_id: str
    vpc_id: pulumi.Input[str]
    subnet_ids: list[pulumi.Output[str]]
    settings: BalancerSettings


class Balancer(pulumi.ComponentResource):
    """An Application Load Balancer without stickiness and its target group.

    Clones hold `target_security_group_id` and register with `target_group_arn`; people go to `public_url`.
    `balancer_dimension` and `target_dimension` are the names that CloudWatch knows the two by.
    """

    public_url: pulumi.Output[str]
    target_group_arn: pulumi.Output[str]
    target_security_group_id: pulumi.Output[str]
    balancer_dimension: pulumi.Output[str]
    target_dimension: pulumi.Output[str]
    request_label: pulumi.Output[str]

    def __init__(self, name: str, args: BalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Balancer", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        access = Access(f"{name}-access", AccessArgs(args.names, args.vpc_id, name, service.PORT), self._child)
        self.target_security_group_id = access.server_group_id
        self._world(access.client_group_id)
        self._balancer = self._load_balancer(access.client_group_id)
        self._targets = self._target_group()
        listener = self._listeners()
        self.public_url = self._public_url()
        self.target_group_arn = after(self._targets.arn, listener)
        self.balancer_dimension = self._balancer.arn_suffix
        self.target_dimension = self._targets.arn_suffix
        self.request_label = pulumi.Output.concat(self.balancer_dimension, "/", self.target_dimension)
        self.register_outputs({"public_url": self.public_url, "target_group_arn": self.target_group_arn})

    def _world(self, group_id: pulumi.Output[str]) -> None:
        ports = [self._args.settings.port] if self._args.settings.domain is None else [HTTP, HTTPS]
        for number, cidr in enumerate(self._args.settings.allowed_cidrs):
            for port in ports:
                aws.vpc.SecurityGroupIngressRule(
                    f"{self._name}-world-{number}-{port}",
                    security_group_id=group_id,
                    cidr_ipv4=cidr,
                    description=f"People, port {port}",
                    ip_protocol="tcp",
                    from_port=port,
                    to_port=port,
                    opts=self._child,
                )

    def _load_balancer(self, group_id: pulumi.Output[str]) -> aws.lb.LoadBalancer:
        args, settings = self._args, self._args.settings
        logs = AccessLogs(
            f"{self._name}-logs",
            AccessLogsArgs(args.names, args.account_id, settings.access_log_days, settings.deletion_protection),
            self._child,
        )
        return aws.lb.LoadBalancer(
            f"{self._name}-balancer",
            name=args.names.of(length=LOAD_BALANCER_LENGTH),
            load_balancer_type="application",
            internal=False,
            subnets=args.subnet_ids,
            security_groups=[group_id],
            idle_timeout=deadlines.BALANCER_IDLE,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            enable_deletion_protection=settings.deletion_protection,
            access_logs={"enabled": True, "bucket": logs.bucket},
            opts=pulumi.ResourceOptions(parent=self, protect=settings.deletion_protection),
        )

    def _target_group(self) -> aws.lb.TargetGroup:
        """Its name carries the port, because another port makes another group, beside the old one."""
        return aws.lb.TargetGroup(
            f"{self._name}-targets",
            name=self._args.names.of(str(service.PORT), length=TARGET_GROUP_LENGTH),
            vpc_id=self._args.vpc_id,
            target_type="instance",
            protocol="HTTP",
            port=service.PORT,
            load_balancing_algorithm_type="weighted_random",
            load_balancing_anomaly_mitigation="on",
            deregistration_delay=deadlines.DRAIN,
            stickiness={"type": "lb_cookie", "enabled": False},
            health_check={
                "path": service.HEALTH_PATH,
                "protocol": "HTTP",
                "matcher": "200",
                "interval": deadlines.HEALTH_INTERVAL,
                "timeout": deadlines.HEALTH_TIMEOUT,
                "healthy_threshold": deadlines.HEALTHY_THRESHOLD,
                "unhealthy_threshold": deadlines.UNHEALTHY_THRESHOLD,
            },
            opts=self._child,
        )

    def _listeners(self) -> aws.lb.Listener:
        """The listener that forwards to the clones."""
        settings = self._args.settings
        forward = {"type": "forward", "target_group_arn": self._targets.arn}
        if settings.domain is None:
            return self._listener("http", settings.port, "HTTP", forward)
        self._listener(
            "redirect",
            HTTP,
            "HTTP",
            {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": str(HTTPS), "status_code": "HTTP_301"}},
        )
        return self._listener(
            "https", HTTPS, "HTTPS", forward, ssl_policy=TLS_POLICY, certificate_arn=self._certificate(settings.domain)
        )

    def _listener(self, label: str, port: int, protocol: str, action: Any, **tls: Any) -> aws.lb.Listener:
        return aws.lb.Listener(
            f"{self._name}-{label}",
            load_balancer_arn=self._balancer.arn,
            port=port,
            protocol=protocol,
            default_actions=[action],
            opts=self._child,
            **tls,
        )

    def _certificate(self, domain: str) -> pulumi.Output[str]:
        """A certificate for the site's name, and the name itself."""
        zone = self._args.settings.hosted_zone_id or ""
        certificate = Certificate(f"{self._name}-tls", CertificateArgs(domain, zone), self._child)
        aws.route53.Record(
            f"{self._name}-name",
            zone_id=zone,
            name=domain,
            type="A",
            aliases=[
                {
                    "name": self._balancer.dns_name,
                    "zone_id": self._balancer.zone_id,
                    "evaluate_target_health": False,
                }
            ],
            opts=self._child,
        )
        return certificate.arn

    def _public_url(self) -> pulumi.Output[str]:
        settings = self._args.settings
        if settings.domain is not None:
            return pulumi.Output.from_input(f"https://{settings.domain}")
        port = "" if settings.port == HTTP else f":{settings.port}"
        return pulumi.Output.concat("http://", self._balancer.dns_name, port)

"""ELBv2: targets are as healthy as the data plane says, and leave through `draining`; what AWS refuses is refused.

AWS, "Target health status": initial while registration is in progress, unused without a listener, draining until the
deregistration delay has passed or no request is in flight. AWS, "CreateLoadBalancer": two zones at least.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from moto.ec2.models import EC2Backend
from moto.elbv2 import models
from moto.elbv2.exceptions import ELBClientError, InvalidConfigurationRequest
from moto.elbv2.models import (
    ELBv2Backend,
    FakeHealthStatus,
    FakeListener,
    FakeLoadBalancer,
    FakeTargetGroup,
    elbv2_backends,
)
from moto.s3.models import s3_backends

from local.control.cloud import CLOUD, TargetReport
from local.control.extend import use_backend, use_model

DESCRIPTIONS = {
    "initial": "Target registration is in progress",
    "unhealthy": "Health checks failed",
    "draining": "Target deregistration is in progress",
}
LOAD_BALANCER_DEFAULTS = {
    "access_logs.s3.enabled": "false",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}


class LocalLoadBalancer(FakeLoadBalancer):
    """A load balancer whose name is an address of this machine."""

    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(name, **{**kwargs, "dns_name": CLOUD.address_of(f"elbv2/{name}")})
        self.attrs.update(LOAD_BALANCER_DEFAULTS)


def _described(report: TargetReport) -> str | None:
    """AWS, "Health checks for Application Load Balancer target groups", reason codes."""
    if report.reason == "Target.Timeout":
        return "Request timed out"
    if report.status:
        return f"Health checks failed with these codes: [{report.status}]"
    return DESCRIPTIONS.get(report.state)


class WatchedTargetGroup(FakeTargetGroup):
    """A target group whose targets are as healthy as they are reported."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.draining: dict[str, float] = {}
        self.attributes["load_balancing.algorithm.anomaly_mitigation"] = "off"

    def register(self, targets: list[dict[str, Any]]) -> None:
        super().register(targets)
        for target in targets:
            self.draining.pop(target["Id"], None)

    def deregister(self, targets: list[dict[str, Any]]) -> None:
        super().deregister(targets)
        delay = float(str(self.attributes["deregistration_delay.timeout_seconds"]))
        known = CLOUD.reports.targets.get(self.arn, {})
        for target in targets:
            # One that the balancer has never told of has no request in flight.
            self.draining[target["Id"]] = time.monotonic() + (delay if target["Id"] in known else 0.0)
        self.finish_drains()

    def deregister_terminated_instances(self, instance_ids: list[str]) -> None:
        super().deregister_terminated_instances(instance_ids)
        for instance_id in instance_ids:
            self.draining.pop(instance_id, None)

    def finish_drains(self) -> bool:
        """Lets go of targets whose delay has passed or that the balancer has left; True if there was one."""
        now = time.monotonic()
        ended = [target for target, end in self.draining.items() if end <= now or self.report(target).state == "unused"]
        for target in ended:
            del self.draining[target]
            CLOUD.reports.targets.get(self.arn, {}).pop(target, None)
        return bool(ended)

    def report(self, target: str) -> TargetReport:
        """What is known of a target's health checks."""
        if not CLOUD.data_plane:
            return TargetReport("healthy")
        unknown = TargetReport("initial", "Elb.RegistrationInProgress")
        return CLOUD.reports.targets.get(self.arn, {}).get(target, unknown)

    def health_for(self, target: dict[str, Any], ec2_backend: EC2Backend) -> FakeHealthStatus:
        health = super().health_for(target, ec2_backend)
        if target["Id"] in self.draining:
            report = TargetReport("draining", "Target.DeregistrationInProgress")
        elif health.status != "healthy":
            return health
        elif not elbv2_backends[self.account_id][self.region_name]._any_listener_using(self.arn):
            report = TargetReport("unused", "Target.NotInUse")
        else:
            report = self.report(target["Id"])
        health.status, health.reason = report.state, report.reason
        health.description = _described(report)
        return health


class Balancers(ELBv2Backend):
    def create_load_balancer(self, name: str, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        subnets = [*kwargs["subnet_ids"], *(mapping["SubnetId"] for mapping in kwargs.get("subnet_mappings") or [])]
        zones = {subnet.availability_zone for subnet in self.ec2_backend.describe_subnets(subnet_ids=subnets)}
        if kwargs.get("loadbalancer_type") in {None, "application"} and len(zones) < 2:
            message = "At least two subnets in two different Availability Zones must be specified"
            raise ELBClientError("ValidationError", message)
        return super().create_load_balancer(name, *args, **kwargs)

    def delete_load_balancer(self, arn: str) -> None:
        balancer = self.load_balancers.get(arn)
        if balancer is not None:
            if balancer.attrs["deletion_protection.enabled"] == "true":
                message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
                raise ELBClientError("OperationNotPermitted", message)
            CLOUD.release_address(f"elbv2/{balancer.name}")
        super().delete_load_balancer(arn)

    def create_listener(
        self, load_balancer_arn: str, protocol: str, port: str, *args: Any, **kwargs: Any
    ) -> FakeListener:
        if protocol == "HTTPS" and not kwargs.get("certificate"):
            raise ELBClientError("ValidationError", "A certificate must be specified for HTTPS listeners")
        balancer = self.load_balancers.get(load_balancer_arn)
        if balancer is not None and any(str(each.port) == str(port) for each in balancer.listeners.values()):
            raise ELBClientError("DuplicateListener", f"A listener already exists on port {port}")
        listener = super().create_listener(load_balancer_arn, protocol, port, *args, **kwargs)
        if protocol == "HTTP":
            listener.ssl_policy = None  # type: ignore[assignment]  # AWS leaves it out
        return listener

    def modify_load_balancer_attributes(self, arn: str, attrs: dict[str, Any]) -> dict[str, Any]:
        bucket = attrs.get("access_logs.s3.bucket")
        if attrs.get("access_logs.s3.enabled") == "true" and bucket is not None:
            found = s3_backends[self.account_id][self.partition].buckets.get(bucket)
            if found is None or found.policy is None:
                raise InvalidConfigurationRequest(
                    f"Access Denied for bucket: {bucket}. Please check S3bucket permission"
                )
        return super().modify_load_balancer_attributes(arn, attrs)

    def describe_target_health(self, target_group_arn: str, targets: list[dict[str, Any]]) -> list[FakeHealthStatus]:
        group = self.target_groups.get(target_group_arn)
        if isinstance(group, WatchedTargetGroup) and not targets:
            targets = [*group.targets.values(), *({"Id": target} for target in group.draining)]
            if not targets:
                return []
        return super().describe_target_health(target_group_arn, targets)


def settle() -> bool:
    """Ends the drains that are due; True if there was one."""
    ended = [group.finish_drains() for group in _all_groups()]
    return any(ended)


def _all_groups() -> Iterator[WatchedTargetGroup]:
    for account in elbv2_backends.values():
        for backend in account.values():
            yield from (group for group in backend.target_groups.values() if isinstance(group, WatchedTargetGroup))


def install() -> None:
    """Puts this file in moto's place."""
    use_model(FakeLoadBalancer, LocalLoadBalancer, models)
    use_model(FakeTargetGroup, WatchedTargetGroup, models)
    use_backend(elbv2_backends, Balancers)

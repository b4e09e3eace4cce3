"""Checks of a stack on AWS: may we, is there room, is what the settings name there."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from goldfleet.aws_session import Account, AwsSession
from goldfleet.cli import pulumi_finder
from goldfleet.cli.checkout import CHECKOUT, cache_folder
from goldfleet.cli.checks.examples import examples
from goldfleet.cli.checks.finding import Check, Finding, failed, ok, warning
from goldfleet.cli.checks.image import registered_release, tool_checks, way_in
from goldfleet.cli.checks.machine import pulumi
from goldfleet.contract.names import Names
from infra.settings import Settings

ASK_SECONDS = 30
CREDENTIALS = "credentials"
"""The check without which AWS answers nothing."""


def account_checks(settings: Settings, raw: Mapping[str, object], names: Names) -> list[tuple[str, Check]]:
    """The checks, from what all others need to what only the first `up` needs.

    Args:
        settings: all settings, checked.
        raw: as they stand in the settings file.
        names: names of the stack.
    """
    aws = settings.aws
    session = AwsSession(Account(aws.account_id, aws.region, aws.endpoint, aws.profile))
    return [
        ("examples", partial(_examples, raw)),
        ("Pulumi CLI", pulumi),
        *tool_checks(),
        ("way in", way_in),
        ("state backend", _state_backend),
        (CREDENTIALS, partial(_credentials, session)),
        ("zones", partial(_zones, session, settings)),
        ("quota: VPCs", partial(_vpc_quota, session, names)),
        ("quota: addresses", partial(_address_quota, session, settings)),
        ("quota: vCPUs", partial(_vcpu_quota, session, settings)),
        ("domain", partial(_domain, session, settings)),
        ("release", partial(registered_release, session, settings, names)),
    ]


def _examples(raw: Mapping[str, object]) -> Finding:
    left = list(examples(raw))
    if left:
        return failed(f"still examples: {', '.join(left)}", "write your own values into the settings file")
    return ok("none left in the settings file")


def _credentials(session: AwsSession) -> Finding:
    session.check()
    caller = session.client("sts").get_caller_identity()
    return ok(f"{caller['Arn']} in account {caller['Account']}")


def _zones(session: AwsSession, settings: Settings) -> Finding:
    region = settings.aws.region
    wanted = {region + letter for letter in settings.network.zones}
    described = session.client("ec2").describe_availability_zones()["AvailabilityZones"]
    missing = wanted - {zone["ZoneName"] for zone in described if zone["State"] == "available"}
    if missing:
        return failed(f"not available to this account: {', '.join(sorted(missing))}", "change network.zones")
    return ok(", ".join(sorted(wanted)))


def _state_backend() -> Finding:
    """Where the stack's state is kept: never by accident on one person's machine."""
    pulumi_cli = pulumi_finder.present(cache_folder())
    if pulumi_cli is None:
        return warning("the Pulumi CLI is not here yet", "run `goldfleet up`, or install it")
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    asked = subprocess.run(
        [str(pulumi_cli), "whoami", "--json", "--non-interactive"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=ASK_SECONDS,
        check=False,
    )
    if asked.returncode != 0:
        last = (asked.stderr.strip().splitlines() or ["no answer"])[-1].removeprefix("error: ")
        detail = "none is chosen" if "PULUMI_ACCESS_TOKEN" in last else last
        return failed(detail, "run `pulumi login s3://...`, or set PULUMI_BACKEND_URL")
    url = str(json.loads(asked.stdout)["url"])
    if url.startswith("file:"):
        return warning(f"{url}: only this machine has the state", "run `pulumi login s3://...` to share it")
    return ok(url)


def _vpc_quota(session: AwsSession, names: Names) -> Finding:
    vpcs = session.client("ec2").describe_vpcs()["Vpcs"]
    ours = any(_is_ours(vpc.get("Tags", []), names) for vpc in vpcs)
    return _room(session, "vpc", "L-F678F1CE", used=len(vpcs), needed=0 if ours else 1)


def _address_quota(session: AwsSession, settings: Settings) -> Finding:
    needed = {"none": 0, "single": 1, "per_zone": len(settings.network.zones)}[settings.network.nat]
    used = len(session.client("ec2").describe_addresses()["Addresses"])
    return _room(session, "ec2", "L-0263D0A3", used=used, needed=needed)


def _vcpu_quota(session: AwsSession, settings: Settings) -> Finding:
    """On-demand standard instances are counted in vCPUs; a rollout runs one clone more, at most a tenth."""
    described = session.client("ec2").describe_instance_types(InstanceTypes=[settings.fleet.instance_type])
    each = int(described["InstanceTypes"][0]["VCpuInfo"]["DefaultVCpus"])
    most = settings.fleet.max + max(1, settings.fleet.max // 10)
    return _room(session, "ec2", "L-1216C47A", used=0, needed=most * each)


def _room(session: AwsSession, service: str, code: str, *, used: int, needed: int) -> Finding:
    try:
        answer = session.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    except (BotoCoreError, ClientError) as error:
        return warning(f"cannot be read ({error})", f"look for {code} in the console, Service Quotas")
    limit = int(answer["Quota"]["Value"])
    detail = f"{used} used, {needed} more needed, at most {limit}"
    if used + needed > limit:
        return failed(detail, f"ask for more: Service Quotas, {service}, {code}")
    return ok(detail)


def _domain(session: AwsSession, settings: Settings) -> Finding:
    balancer = settings.balancer
    if balancer.domain is None:
        return warning("none: plain HTTP, passwords travel in clear", "set balancer.domain and balancer.hosted_zone_id")
    if balancer.hosted_zone_id is None:
        return ok(f"{balancer.domain}, records are kept outside Route 53")
    zone = session.client("route53").get_hosted_zone(Id=balancer.hosted_zone_id)["HostedZone"]["Name"].rstrip(".")
    if balancer.domain != zone and not balancer.domain.endswith(f".{zone}"):
        return failed(f"{balancer.domain} is not in the zone {zone}", "change balancer.hosted_zone_id")
    return ok(f"{balancer.domain} in the zone {zone}")


def _is_ours(tags: list[dict[str, str]], names: Names) -> bool:
    found = {tag["Key"]: tag["Value"] for tag in tags}
    return all(found.get(key) == value for key, value in names.tags.items())

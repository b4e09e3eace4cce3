from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from goldfleet.aws_session import Account, AwsSession
from goldfleet.cli.checks import account, machine
from goldfleet.cli.checks.finding import Level, failed, ok, run_checks
from goldfleet.contract.names import TAG_RELEASE, Names
from goldfleet.errors import ToolMissing
from infra import settings
from infra.settings import Settings

NAMES = Names("goldfleet", "dev")
REGION = "eu-central-1"
RELEASE = "ab" * 32


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsSession]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield AwsSession(Account("123456789012", REGION))


def load(**components: Any) -> Settings:
    base: dict[str, Any] = {
        "aws": {"account_id": "123456789012", "region": REGION},
        "image": {"release": "ami-0123456789abcdef0"},
        "balancer": {"plain_http": True},
    }
    return settings.load("dev", base | components)


def test_a_check_that_raises_has_failed_and_the_next_one_runs() -> None:
    def missing() -> Any:
        raise ToolMissing("HAProxy", "not found", "install it")

    def locked_out() -> Any:
        raise NoCredentialsError

    checks = [("one", missing), ("two", locked_out), ("three", lambda: ok("fine"))]
    found = dict(run_checks(checks))
    assert [finding.level for finding in found.values()] == [Level.FAILED, Level.FAILED, Level.OK]
    assert (found["one"].detail, found["one"].way_out) == ("HAProxy: not found", "install it")


def test_nothing_is_asked_behind_a_closed_gate() -> None:
    checks = [("credentials", lambda: failed("none", "get some")), ("zones", lambda: ok("fine"))]
    assert [name for name, _ in run_checks(checks, gate="credentials")] == ["credentials"]


@pytest.mark.parametrize(("kilobytes", "level"), [(8_000_000, Level.OK), (500_000, Level.WARNING)])
def test_memory(tmp_path: Path, kilobytes: int, level: Level) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {kilobytes} kB\n")
    assert machine._memory(tmp_path / "meminfo").level is level


def test_credentials_of_another_account(session: AwsSession) -> None:
    checks = [("credentials", lambda: account._credentials(AwsSession(Account("999999999999", REGION))))]
    assert next(run_checks(checks))[1].level is Level.FAILED
    assert account._credentials(session).level is Level.OK


def test_zones_that_are_not_there(session: AwsSession) -> None:
    assert account._zones(session, load()).level is Level.OK
    missing = account._zones(session, load(network={"zones": ["a", "f"]}))
    assert missing.level is Level.FAILED
    assert f"{REGION}f" in missing.detail


def test_room_for_another_vpc(session: AwsSession) -> None:
    assert account._vpc_quota(session, NAMES).level is Level.OK
    ec2 = boto3.client("ec2", REGION)
    for number in range(4):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    assert account._vpc_quota(session, NAMES).level is Level.FAILED
    tags = [{"Key": key, "Value": value} for key, value in NAMES.tags.items()]
    ec2.create_tags(Resources=[ec2.describe_vpcs()["Vpcs"][-1]["VpcId"]], Tags=tags)
    assert account._vpc_quota(session, NAMES).level is Level.OK


def test_the_domain_is_in_its_zone(session: AwsSession) -> None:
    zone = boto3.client("route53").create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]["Id"]
    plain = load()
    assert account._domain(session, plain).level is Level.WARNING
    for domain, level in (("www.example.org", Level.OK), ("www.example.com", Level.FAILED)):
        hosted = {"domain": domain, "hosted_zone_id": zone.rpartition("/")[2]}
        named = plain.model_copy(update={"balancer": plain.balancer.model_copy(update=hosted)})
        assert account._domain(session, named).level is level


def test_the_release_is_registered(session: AwsSession) -> None:
    pinned = load(image={"release": RELEASE})
    assert account._release(session, pinned).level is Level.FAILED
    ec2 = boto3.client("ec2", REGION)
    image = ec2.register_image(Name="golden")["ImageId"]
    ec2.create_tags(Resources=[image], Tags=[{"Key": TAG_RELEASE, "Value": RELEASE}])
    assert account._release(session, pinned).level is Level.OK
    assert account._release(session, load(image={"release": image})).level is Level.OK

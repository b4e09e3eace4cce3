from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from goldfleet.aws_session import Account, AwsSession
from goldfleet.cli.checks import account, image, machine
from goldfleet.cli.checks.finding import Finding, Level, failed, ok, run_checks
from goldfleet.contract.names import TAG_PROJECT, TAG_RELEASE, Names
from goldfleet.errors import ToolMissing
from image.os_layer import tools
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
    def found(release: str) -> Finding:
        named = load(image={"release": release})
        return dict(run_checks([("release", partial(image.registered_release, session, named, NAMES))]))["release"]

    missing = found(RELEASE)
    assert missing.level is Level.FAILED
    assert all(way in missing.way_out for way in ("`goldfleet deploy`", "pin a registered release", "ami-..."))
    assert found("ami-0123456789abcdef0").level is Level.FAILED
    assert found("working-tree").level is Level.WARNING
    ec2 = boto3.client("ec2", REGION)
    golden = ec2.register_image(Name="golden")["ImageId"]
    tags = {TAG_RELEASE: RELEASE, TAG_PROJECT: "another"}
    for project in ("another", NAMES.project):
        assert found(RELEASE).level is Level.FAILED
        tags[TAG_PROJECT] = project
        ec2.create_tags(Resources=[golden], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])
    assert found(RELEASE).detail == f"{RELEASE[:12]} is {golden}"
    assert found(golden).level is Level.OK


def test_without_image_tools_there_is_a_warning_only_where_nothing_needs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "SEARCH_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    tools.versions.cache_clear()
    for layers, level in ((["app"], Level.WARNING), (["os", "app"], Level.FAILED)):
        base = load(image={"release": "working-tree"})
        local = base.model_copy(update={"image": base.image.model_copy(update={"layers": layers})})
        rows = dict(run_checks(image.local_checks(local)))
        assert (rows["image tools"].level, rows["virtual machine"].level) == (level, level)
        assert "mmdebstrap" in rows["image tools"].detail
        assert rows["image tools"].way_out


def test_with_image_tools_all_is_well() -> None:
    tools.versions.cache_clear()
    if shutil.which("mmdebstrap") is None:
        pytest.skip("the image tools are not installed here")
    assert image.image_tools(Level.FAILED).level is Level.OK


def test_an_image_without_a_way_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "CHECKOUT", tmp_path)
    (tmp_path / "image").mkdir()
    packages = tmp_path / "image" / "os.packages"
    packages.write_text("python3 the runtime\n")
    assert image.way_in().level is Level.WARNING
    packages.write_text("python3 the runtime\nopenssh-server for people\n")
    assert image.way_in().detail.startswith("openssh-server")

"""Wrong settings: each is refused with its path, the rule and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goldfleet.errors import SettingsError
from infra.settings import load
from infra.settings.load import WrongSettings

SEVEN_ENDPOINTS = ["secretsmanager", "kms", "logs", "monitoring", "ssm", "ssmmessages", "sts"]

WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    # stack, changes, path that the error names, words of the rule
    ("dev", {"flete": {"desired": 2}}, "flete", "unknown key"),
    ("dev", {"fleet.desierd": 2}, "fleet.desierd", "unknown key"),
    ("dev", {"stack": "prod"}, "stack", "unknown key"),
    ("dev", {"fleet": 3}, "fleet", "mapping"),
    ("dev", {"fleet.desired": "2"}, "fleet.desired", "whole number"),
    ("dev", {"fleet.desired": 2.5}, "fleet.desired", "whole number"),
    ("dev", {"fleet.desired": True}, "fleet.desired", "whole number"),
    ("dev", {"fleet.desired": "abc"}, "fleet.desired", "whole number"),
    ("dev", {"fleet.desired": 99}, "fleet.desired", "above fleet.max"),
    ("dev", {"fleet.desired": 0}, "fleet.desired", "below fleet.min"),
    ("dev", {"fleet.desired": -1}, "fleet.desired", "below fleet.min"),
    ("dev", {"fleet.min": 0}, "fleet.min", "at least 1|greater than or equal to 1"),
    ("dev", {"fleet.min": 5}, "fleet.min", "above fleet.max"),
    ("dev", {"fleet.max": 501}, "fleet.max", "less than or equal to 500"),
    ("dev", {"fleet.max": 60, "database.instance_class": "db.t4g.micro"}, "fleet.max", "connections"),
    ("dev", {"fleet.health_grace_seconds": 5}, "fleet.health_grace_seconds", "greater than or equal to 10"),
    ("dev", {"rollout.alarms": ["lag"]}, "rollout.alarms.0", "app-errors"),
    ("dev", {"rollout.bake_seconds": -1}, "rollout.bake_seconds", "greater than or equal to 0"),
    ("prod", {"rollout.canary_seconds": 60}, "rollout.canary_seconds", "noticed after 190"),
    ("prod", {"fleet.health_grace_seconds": 600}, "rollout.canary_seconds", "raise it to 520 or more"),
    ("dev", {"fleet.instance_type": "t2.micro"}, "fleet.instance_type", "UEFI"),
    ("dev", {"fleet.instance_type": "t4g.small"}, "fleet.instance_type", "arm64"),
    ("dev", {"fleet.instance_type": "z9.large"}, "fleet.instance_type", "table"),
    ("dev", {"fleet.cpu_target_percent": 50}, "fleet.cpu_target_percent", "50 % at most"),
    ("dev", {"fleet.instance_type": "m7i.2xlarge"}, "fleet.cpu_target_percent", "12 % at most"),
    ("dev", {"fleet.instance_type": "small"}, "fleet.instance_type", "not an instance type"),
    ("dev", {"network.cidr": "10.0.0.1/16"}, "network.cidr", "not an IPv4 block"),
    ("dev", {"network.cidr": "ten/16"}, "network.cidr", "not an IPv4 block"),
    ("dev", {"network.cidr": "8.8.0.0/16"}, "network.cidr", "not private"),
    ("dev", {"network.cidr": "10.0.0.0/8"}, "network.cidr", "at most a /16"),
    ("dev", {"network.cidr": "10.0.0.0/24"}, "network.cidr", "too small"),
    ("dev", {"network.cidr": "10.0.0.0/22", "fleet.max": 60}, "network.cidr", "addresses for clones"),
    ("dev", {"network.zones": ["a"]}, "network.zones", "two or three"),
    ("dev", {"network.zones": ["a", "b", "c", "d"]}, "network.zones", "two or three"),
    ("dev", {"network.zones": ["a", "a"]}, "network.zones", "two or three"),
    ("dev", {"network.zones": ["a", "z"]}, "network.zones", "not a zone's letter"),
    ("dev", {"network.nat": "some"}, "network.nat", "per_zone"),
    ("dev", {"network.nat": "none"}, "network.interface_endpoints", "without NAT"),
    ("dev", {"network.nat": "none", "network.interface_endpoints": SEVEN_ENDPOINTS[1:]},
     "network.interface_endpoints", "secretsmanager"),
    ("dev", {"network.interface_endpoints": ["s4"]}, "network.interface_endpoints", "unknown service"),
    ("dev", {"network.interface_endpoints": ["kms", "kms"]}, "network.interface_endpoints", "twice"),
    ("dev", {"sessions.replicas": -1}, "sessions.replicas", "greater than or equal to 0"),
    ("dev", {"sessions.engine": "memcached"}, "sessions.engine", "valkey"),
    ("dev", {"sessions.engine_version": "6.2"}, "sessions.engine_version", "table of versions"),
    ("dev", {"cache.node_type": "db.t4g.micro"}, "cache.node_type", "not a node type"),
    ("dev", {"cache.maintenance_window": "sunday"}, "cache.maintenance_window", "weekly window"),
    ("prod", {"sessions.replicas": 0}, "sessions.replicas", "in production"),
    ("prod", {"sessions.snapshot_days": 0}, "sessions.snapshot_days", "in production"),
    ("dev", {"database.replicas": 16}, "database.replicas", "less than or equal to 15"),
    ("dev", {"database.replicas": -1}, "database.replicas", "greater than or equal to 0"),
    ("dev", {"database.promoted": {"1": "replica-1"}}, "database.promoted", "no shard '1'"),
    ("dev", {"database.promoted": {"0": "main"}}, "database.promoted", "not a server's label"),
    ("dev", {"database.promoted": {"0": "replica-0"}}, "database.promoted", "not a server's label"),
    ("dev", {"database.lost": {"x": ["main"]}}, "database.lost", "no shard 'x'"),
    ("dev", {"database.lost": {"0": ["second"]}}, "database.lost", "not a server's label"),
    ("dev", {"database.backup_days": 0}, "database.backup_days", "backups"),
    ("dev", {"database.shards": 0}, "database.shards", "greater than or equal to 1"),
    ("dev", {"database.instance_class": "db.huge"}, "database.instance_class", "table of classes"),
    ("dev", {"database.engine_version": "17.4"}, "database.engine_version", "major version"),
    ("dev", {"database.name": "postgres"}, "database.name", "refuses"),
    ("dev", {"database.port": 5432}, "database.port", "RDS.23"),
    ("dev", {"database.max_storage_gib": 21}, "database.max_storage_gib", "a tenth above"),
    ("dev", {"database.insights_days": 30}, "database.insights_days", "cannot keep"),
    ("dev", {"database.backup_window": "2-3"}, "database.backup_window", "daily window"),
    ("prod", {"database.deletion_protection": False}, "database.deletion_protection", "protected"),
    ("prod", {"database.multi_az": False}, "database.multi_az", "standby"),
    ("prod", {"database.backup_days": 3}, "database.backup_days", "week of backups"),
    ("dev", {"balancer.plain_http": False}, "balancer.domain", "nobody chose plain HTTP"),
    ("prod", {"balancer": {"plain_http": True}}, "balancer.plain_http", "never serves plain HTTP"),
    ("prod", {"balancer.plain_http": True}, "balancer.plain_http", "serves HTTPS"),
    ("prod", {"balancer.hosted_zone_id": None}, "balancer.hosted_zone_id", "in its zone"),
    ("dev", {"balancer.hosted_zone_id": "Z1"}, "balancer.hosted_zone_id", "without a domain"),
    ("prod", {"balancer.hosted_zone_id": "example.com"}, "balancer.hosted_zone_id", "not a zone's id"),
    ("prod", {"balancer.domain": "example"}, "balancer.domain", "not a domain name"),
    ("prod", {"balancer.port": 8080}, "balancer.port", "443"),
    ("prod", {"balancer.deletion_protection": False}, "balancer.deletion_protection", "protected"),
    ("dev", {"balancer.allowed_cidrs": ["anywhere"]}, "balancer.allowed_cidrs", "not an IPv4 block"),
    ("dev", {"balancer.allowed_cidrs": []}, "balancer.allowed_cidrs", "at least 1"),
    ("dev", {"alarms.email": "ops"}, "alarms.email", "not an e-mail address"),
    ("prod", {"alarms.email": None}, "alarms.email", "reach somebody"),
    ("dev", {"alarms.p99_seconds": 0}, "alarms.p99_seconds", "greater than 0"),
    ("dev", {"image.release": "latest"}, "image.release", "neither a release digest"),
    ("dev", {"image.release": None}, "image.release", "is required"),
    ("prod", {"image.release": "working-tree"}, "image.release", "never runs the working tree"),
    ("dev", {"image.layers": ["app"]}, "image.layers", "local control plane only"),
    ("dev", {"image.layers": ["os"]}, "image.layers", "must hold app"),
    ("dev", {"image.layers": ["os", "app", "app"]}, "image.layers", "twice"),
    ("dev", {"image.layers": ["kernel"]}, "image.layers.0", "'os' or 'app'"),
    ("dev", {"aws.endpoint": "http://10.0.0.5:4566"}, "aws.endpoint", "not a loopback address"),
    ("dev", {"aws.endpoint": "http://localhost:4566"}, "aws.endpoint", "not a loopback address"),
    ("dev", {"aws.account_id": "12345"}, "aws.account_id", "twelve digits"),
    ("dev", {"aws.account_id": 123456789012}, "aws.account_id", "text"),
    ("dev", {"aws.region": "Frankfurt"}, "aws.region", "not a region"),
    ("dev", {"aws.log_retention_days": 366}, "aws.log_retention_days", "cannot keep"),
    ("prod", {"aws.log_retention_days": 30}, "aws.log_retention_days", "for a year"),
    ("prod", {"fleet.min": 1}, "fleet.min", "two zones"),
    ("dev", {"app": {"environment": {"lower": "x"}}}, "app.environment.lower", "not a variable's name"),
    ("dev", {"app": {"environment": {"GOLDFLEET_PORT": "1"}}}, "app.environment.GOLDFLEET_PORT", "launcher's"),
    ("dev", {"app": {"environment": {"PORT": 1}}}, "app.environment.PORT", "text"),
    ("dev", {"app": {"environment": {"BIG": "x" * 16_000}}}, "app.environment", "16384 bytes"),
    ("dev", {"app": {"secrets": ["Stripe Key"]}}, "app.secrets", "not a secret's name"),
    ("dev", {"app": {"secrets": ["a", "a"]}}, "app.secrets", "twice"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("stack", "changes", "path", "rule"), WRONG, ids=[f"{w[0]}-{w[2]}-{i}" for i, w in enumerate(WRONG)]
)
def test_a_wrong_setting_is_refused(
    raw: Callable[..., Any], stack: str, changes: dict[str, Any], path: str, rule: str
) -> None:
    with pytest.raises(WrongSettings, match=rule) as refused:
        load(stack, raw(stack, changes))
    broken = [problem for problem in refused.value.problems if problem.where == path]
    assert broken, str(refused.value)
    assert all(problem.what and problem.way_out for problem in broken)


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_three_stacks_are_complete(settings_of: Callable[..., Any], stack: str) -> None:
    assert settings_of(stack).stack == stack


def test_everything_wrong_is_said_each_on_its_line(raw: Callable[..., Any]) -> None:
    with pytest.raises(SettingsError) as refused:
        load("dev", raw("dev", {"fleet.desired": 99, "network.cidr": "10.0.0.0/8", "database.port": 5432}))
    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "network.cidr",
        "database.port",
        "fleet.desired",
    ]


def test_an_unknown_stack_is_held_to_productions_rules(raw: Callable[..., Any]) -> None:
    with pytest.raises(WrongSettings, match=r"balancer\.plain_http: production never"):
        load("staging", raw("dev"))


@pytest.mark.parametrize("stack", ["Prod", "a-much-too-long-name", "9th", ""])
def test_a_stacks_name_must_fit(raw: Callable[..., Any], stack: str) -> None:
    with pytest.raises(WrongSettings, match="a stack's name"):
        load(stack, raw("prod"))


def test_a_misspelt_key_is_guessed(raw: Callable[..., Any]) -> None:
    with pytest.raises(WrongSettings, match=r"fleet\.desierd: unknown key; did you mean desired\?"):
        load("dev", raw("dev", {"fleet.desierd": 2}))


def test_a_wrong_type_says_what_the_key_is_for(raw: Callable[..., Any]) -> None:
    with pytest.raises(WrongSettings, match=r"fleet\.desired: must be a whole number, not 'abc'; Count of clones"):
        load("dev", raw("dev", {"fleet.desired": "abc"}))


def test_loading_changes_nothing_of_what_it_was_given(raw: Callable[..., Any]) -> None:
    given = raw("dev")
    load("dev", given)
    assert given == raw("dev")

"""The whole program for every stack and a matrix of settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config

from goldfleet.errors import SettingsError
from infra import stack
from infra.settings import Settings
from infra.settings.rules_network import REQUIRED_WITHOUT_NAT
from tests.infra.recorder import Resources, recorded

Made = Callable[..., Resources]

MATRIX: list[tuple[str, dict[str, Any]]] = [
    ("local", {}),
    ("dev", {}),
    ("prod", {}),
    ("dev", {"network.zones": ["a", "b", "c"], "database.replicas": 3}),
    ("dev", {"network.nat": "per_zone", "database.replicas": 0}),
    ("dev", {"network.nat": "none", "network.interface_endpoints": list(REQUIRED_WITHOUT_NAT)}),
    ("dev", {"sessions.engine": "redis", "sessions.engine_version": "7.1"}),
    ("prod", {"database.shards": 3, "fleet.max": 6}),
]


@pytest.fixture(params=MATRIX, ids=lambda case: f"{case[0]}-{'-'.join(case[1]) or 'as-is'}")
def resources(request: pytest.FixtureRequest, made: Made) -> Resources:
    return made(*request.param)


def test_every_resource_has_its_own_name(resources: Resources) -> None:
    names = [(one.type, one.name) for one in resources]
    assert len(names) == len(set(names))


def test_no_resource_falls_back_to_default_credentials(resources: Resources) -> None:
    for one in resources:
        package = one.type.partition(":")[0]
        if package in {"aws", "goldfleet"}:
            assert f"pulumi:providers:{package}::{package}::" in one.provider, one.name


NAMED_BY = {
    "s3/bucket:Bucket": "bucket",
    "rds/instance:Instance": "identifier",
    "elasticache/replicationGroup:ReplicationGroup": "replicationGroupId",
    "elasticache/user:User": "userId",
    "elasticache/userGroup:UserGroup": "userGroupId",
    "cloudwatch/dashboard:Dashboard": "dashboardName",
    "secretsmanager/secret:Secret": "namePrefix",
}


def test_every_name_in_aws_starts_with_project_and_stack(resources: Resources) -> None:
    [provider] = resources.of("pulumi:providers:aws")
    name = json.loads(provider.inputs["defaultTags"])["tags"]["goldfleet:stack"]
    heads = (f"goldfleet-{name}", f"/goldfleet/{name}/", f"goldfleet/{name}/", f"alias/goldfleet-{name}")
    named = 0
    for one in resources:
        key = NAMED_BY.get(one.type.removeprefix("aws:"), "name")
        if one.type.startswith("aws:") and key in one.inputs and one.type != "aws:route53/record:Record":
            named += 1
            assert one.inputs[key].removeprefix("/aws/rds/instance/").startswith(heads), one.name
    assert named > 40


def test_a_clone_holds_at_most_five_security_groups(resources: Resources) -> None:
    """AWS's default limit for a network interface."""
    assert len(resources.one("LaunchTemplate").inputs["vpcSecurityGroupIds"]) == 5


@pytest.mark.parametrize("stack_name", ["local", "dev", "prod"])
def test_the_program_asks_aws_nothing(made: Made, stack_name: str) -> None:
    """The recorder raises on any call, so that a preview needs no look-up."""
    assert made(stack_name).all


def test_outputs_name_what_the_command_needs(made: Made) -> None:
    assert made("prod").outputs == {
        "public_url": "https://www.example.com",
        "release": "ab" * 32,
        "image_id": "ami-1",
        "group_name": "goldfleet-prod-fleet",
        "template_id": "fleet-template-id",
        "target_group_arn": "arn:aws:mock:::balancer-targets",
        "log_group": "/goldfleet/prod/app",
        "topic_arn": "arn:aws:mock:::alarms-topic-topic",
        "app_secrets": {},
        "notices": [],
    }


def test_plain_http_is_named_in_the_outputs(made: Made) -> None:
    assert made("dev").outputs["notices"] == ["balancer.plain_http is on: passwords and cookies travel unencrypted"]
    assert made("local").outputs["public_url"] == "http://balancer.example:8080"
    assert made("dev").outputs["public_url"] == "http://balancer.example"


def test_the_configuration_is_read_by_component(
    monkeypatch: pytest.MonkeyPatch, settings_of: Callable[..., Settings], raw: Callable[..., Any]
) -> None:
    calls: list[Settings] = []
    monkeypatch.setattr(stack, "program", lambda settings, project, name: calls.append(settings))
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    values = {f"goldfleet:{component}": json.dumps(value) for component, value in raw("dev").items()}
    token = config.CONFIG.set({**values, "aws:region": "elsewhere"})
    try:
        stack.main()
    finally:
        config.CONFIG.reset(token)
    assert calls == [settings_of("dev")]


def test_a_wrong_configuration_ends_the_program_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, raw: Callable[..., Any]
) -> None:
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    values = {f"goldfleet:{component}": json.dumps(v) for component, v in raw("dev", {"fleet.desired": 99}).items()}
    token = config.CONFIG.set(values)
    try:
        with pytest.raises(pulumi.RunError, match=r"fleet\.desired: 99 is above fleet\.max, 4; take 4 or fewer"):
            stack.main()
    finally:
        config.CONFIG.reset(token)


def test_a_projects_name_must_fit(settings_of: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError, match="more than 20 characters"):
        stack.program(settings_of("dev"), "a-project-with-a-long-name", "dev")


@pytest.mark.parametrize(("stack_name", "protected"), [("prod", True), ("local", False)])
def test_a_protected_stack_refuses_destroy_before_anything_is_deleted(
    made: Made, stack_name: str, protected: bool
) -> None:
    guarded = [one.name for one in made(stack_name) if one.protected]
    assert sorted(guarded) == (["balancer-balancer", "database-0-main"] if protected else [])


FREE_FORM = {"tags", "dimensions", "defaultTags"}


def keys_of(value: Any) -> Iterator[str]:
    """Keys at every level, but for maps whose keys are data."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield key
            if key not in FREE_FORM:
                yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def test_every_key_is_one_that_the_sdk_knows(resources: Resources) -> None:
    """The SDK puts known keys into camel case and passes others on as they are."""
    for one in resources:
        if not one.type.startswith("pulumi:"):
            assert not [key for key in keys_of(one.inputs) if "_" in key], one.name


def test_the_recorder_sees_a_second_run_afresh(settings_of: Callable[..., Settings]) -> None:
    first, second = (recorded(settings_of("dev")) for _ in range(2))
    assert sorted(one.name for one in first) == sorted(one.name for one in second)

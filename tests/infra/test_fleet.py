"""The fleet: what a clone starts from, what it may do, when there are more of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest

from goldfleet.contract.clone import UserData
from goldfleet.contract.deadlines import HEALTH_GRACE
from infra.settings.rollout import ReleaseAlarm
from tests.infra.recorder import COMPUTED, Resources

Made = Callable[..., Resources]


def told(resources: Resources) -> UserData:
    return UserData.from_text(base64.b64decode(resources.one("LaunchTemplate").inputs["userData"]).decode())


def group(resources: Resources) -> dict[str, Any]:
    return dict(resources.one("aws:autoscaling/group:Group").inputs)


def test_a_clone_is_told_where_everything_is(made: Made) -> None:
    data = told(made("prod", {"database.shards": 2, "app": {"environment": {"COLOUR": "gold"}, "secrets": ["stripe"]}}))
    assert (data.project, data.stack, data.region) == ("goldfleet", "prod", "eu-central-1")
    assert data.public_url == "https://www.example.com"
    assert data.log_group == "/goldfleet/prod/app"
    assert [str(shard.main) for shard in data.shards] == ["server.example:5433"] * 2
    assert [shard.replicas_parameter for shard in data.shards] == [
        f"/goldfleet/prod/database/{number}/replicas" for number in (0, 1)
    ]
    assert str(data.sessions.primary) == "store.example:6379"
    assert data.app_environment == {"COLOUR": "gold"}
    assert data.app_secrets == {"stripe": "arn:aws:mock:::app-secrets-stripe"}
    assert data.aws_endpoint is None


def test_only_a_local_stack_is_told_an_endpoint(made: Made) -> None:
    assert told(made("local")).aws_endpoint == "http://127.11.0.1:4566"


def test_user_data_holds_no_secret(made: Made) -> None:
    assert "generated" not in told(made("prod")).to_text()


def test_the_template_has_exactly_the_images_devices(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    image = {**COMPUTED["goldfleet:index:GoldenImage"], "appDevice": ""}
    monkeypatch.setitem(COMPUTED, "goldfleet:index:GoldenImage", image)
    resources = made("dev", {"image.release": "ami-00000000000000001"})
    devices = [one["deviceName"] for one in resources.one("LaunchTemplate").inputs["blockDeviceMappings"]]
    assert devices == ["/dev/xvda"]


def test_nobody_can_log_in_by_key(made: Made) -> None:
    assert "keyName" not in made("prod").one("LaunchTemplate").inputs


def test_the_group_names_a_numbered_version_and_does_not_wait(made: Made) -> None:
    inputs = group(made("prod"))
    assert inputs["launchTemplate"] == {"id": "fleet-template-id", "version": "7"}
    assert inputs["waitForCapacityTimeout"] == "0"
    assert inputs["instanceMaintenancePolicy"] == {"minHealthyPercentage": 100, "maxHealthyPercentage": 110}
    assert (inputs["minSize"], inputs["desiredCapacity"], inputs["maxSize"]) == (3, 4, 12)


def test_no_up_undoes_what_scaling_and_rollout_did(made: Made) -> None:
    ignored = made("prod").one("aws:autoscaling/group:Group").ignored
    assert sorted(ignored) == ["desiredCapacity", "launchTemplate"]


def test_instances_carry_the_stacks_tags(made: Made) -> None:
    tags = {tag["key"]: tag["value"] for tag in group(made("prod"))["tags"] if tag["propagateAtLaunch"]}
    assert tags == {"goldfleet:project": "goldfleet", "goldfleet:stack": "prod", "Name": "goldfleet-prod-clone"}


def test_scaling_follows_load_and_requests(made: Made) -> None:
    policies = {
        one.inputs["targetTrackingConfiguration"]["predefinedMetricSpecification"]["predefinedMetricType"]: one.inputs[
            "targetTrackingConfiguration"
        ]
        for one in made("prod").of("aws:autoscaling/policy:Policy")
    }
    assert policies["ASGAverageCPUUtilization"]["targetValue"] == 40
    requests = policies["ALBRequestCountPerTarget"]
    assert requests["predefinedMetricSpecification"]["resourceLabel"] == "app/b/1/targetgroup/t/1"


def test_the_wish_and_the_version_are_handed_on(made: Made) -> None:
    resources = made("prod")
    capacity = resources.one("goldfleet:index:Capacity").inputs
    assert (capacity["groupName"], capacity["desired"]) == ("goldfleet-prod-fleet", 4)
    rollout = resources.one("goldfleet:index:Rollout").inputs
    assert (rollout["launchTemplateId"], rollout["launchTemplateVersion"]) == ("fleet-template-id", 7)
    assert rollout["targetGroupArn"] == capacity["targetGroupArn"] == "arn:aws:mock:::balancer-targets"


def test_a_rollout_is_judged_by_alarms_of_the_stack(made: Made) -> None:
    settings = {"alarms": ["slow-answers"], "warm_up_seconds": 6, "canary_seconds": 7, "bake_seconds": 8}
    resources = made("dev", {f"rollout.{name}": value for name, value in settings.items()})
    alarms = [one.inputs["name"] for one in resources.of("aws:cloudwatch/metricAlarm:MetricAlarm")]
    rollout = resources.one("goldfleet:index:Rollout").inputs
    assert rollout["alarmNames"] == ["goldfleet-dev-slow-answers"]
    assert rollout["alarmNames"][0] in alarms
    assert [rollout[f"{name}Seconds"] for name in ("warmUp", "canary", "bake")] == [6, 7, 8]


def test_every_alarm_that_a_rollout_may_name_exists(made: Made) -> None:
    labels = list(get_args(ReleaseAlarm))
    assert len(made("prod", {"rollout.alarms": labels}).one("goldfleet:index:Rollout").inputs["alarmNames"]) == 4


def test_alarms_have_no_say_while_a_main_is_lost(made: Made) -> None:
    lost = {"database.promoted": {"0": "replica-1"}, "database.lost": {"0": ["main"]}}
    assert made("local").one("goldfleet:index:Rollout").inputs["alarmNames"]
    assert made("local", lost).one("goldfleet:index:Rollout").inputs["alarmNames"] == []


def test_the_grace_of_a_new_clone_is_a_setting(made: Made) -> None:
    assert group(made("prod"))["healthCheckGracePeriod"] == HEALTH_GRACE
    assert group(made("dev", {"fleet.health_grace_seconds": 33}))["healthCheckGracePeriod"] == 33


def test_a_clone_may_read_what_it_is_told_of_and_nothing_else(made: Made) -> None:
    resources = made("prod", {"app": {"secrets": ["stripe"]}})
    statements = json.loads(resources.one("aws:iam/rolePolicy:RolePolicy", "clone-policy").inputs["policy"])[
        "Statement"
    ]
    allowed = {action: statement["Resource"] for statement in statements for action in _actions(statement)}
    data = told(resources)
    secrets = {data.sessions.secret, data.cache.secret, *data.app_secrets.values()}
    secrets |= {arn for shard in data.shards for arn in (shard.owner_secret, shard.app_secret)}
    assert set(allowed["secretsmanager:GetSecretValue"]) == secrets
    assert set(allowed) == {
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
        "ssm:GetParameter",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }
    assert allowed["logs:PutLogEvents"] == "arn:aws:mock:::app-log:*"


def _actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]

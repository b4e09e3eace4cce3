"""The providers: account, region and tags from the settings; local keys only beside a local endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable

from infra.providers import SERVICES
from tests.infra.recorder import Resources

Made = Callable[..., Resources]


def test_the_account_is_pinned(made: Made) -> None:
    aws = made("prod").one("pulumi:providers:aws").inputs
    assert json.loads(aws["allowedAccountIds"]) == ["222222222222"]
    assert json.loads(aws["defaultTags"]) == {"tags": {"goldfleet:project": "goldfleet", "goldfleet:stack": "prod"}}
    own = made("prod").one("pulumi:providers:goldfleet").inputs
    assert own == {"region": "eu-central-1", "accountId": "222222222222"}


def test_aws_itself_gets_no_endpoint_and_no_keys(made: Made) -> None:
    aws = made("prod").one("pulumi:providers:aws").inputs
    assert not {"endpoints", "accessKey", "secretKey", "s3UsePathStyle"} & set(aws)


def test_locally_every_service_goes_to_the_endpoint(made: Made) -> None:
    aws = made("local").one("pulumi:providers:aws").inputs
    [endpoints] = json.loads(aws["endpoints"])
    assert endpoints == dict.fromkeys(SERVICES, "http://127.11.0.1:4566")
    assert aws["accessKey"]["value"] == "goldfleet-local"
    assert made("local").one("pulumi:providers:goldfleet").inputs["endpoint"] == "http://127.11.0.1:4566"


MODULES = {
    "acm": "acm",
    "autoscaling": "autoscaling",
    "budgets": "budgets",
    "cloudwatch": "cloudwatch",
    "ec2": "ec2",
    "elasticache": "elasticache",
    "iam": "iam",
    "kms": "kms",
    "lb": "elbv2",
    "rds": "rds",
    "route53": "route53",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "ssm": "ssm",
    "vpc": "ec2",
}


def test_every_service_that_the_program_calls_has_its_endpoint(made: Made) -> None:
    modules = {one.type.split(":")[1].split("/")[0] for one in made("prod") if one.type.startswith("aws:")}
    assert {MODULES[module] for module in modules} | {"sts", "logs"} == set(SERVICES)

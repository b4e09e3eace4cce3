"""What the provider refuses before it calls anybody."""

from __future__ import annotations

from typing import Any

import pytest

from goldfleet.aws_session import DUMMY_ACCESS_KEY, DUMMY_ACCOUNT
from goldfleet.errors import GuardRefused
from local.provider.guard import configured

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "AWS itself": ({"endpoints": None}, "needs one endpoint"),
    "another machine": ({"endpoints": [{"ec2": "http://10.0.0.1:4566"}]}, "not a loopback address"),
    "a name": ({"endpoints": [{"ec2": "http://localhost.example.com:4566"}]}, "not a loopback address"),
    "one service elsewhere": (
        {"endpoints": [{"ec2": "http://127.11.0.1:4566", "s3": "https://s3.amazonaws.com"}]},
        "not a loopback address",
    ),
    "two endpoints": ({"endpoints": [{"ec2": "http://127.11.0.1:1", "s3": "http://127.11.0.1:2"}]}, "one endpoint"),
    "a real key": ({"accessKey": "AKIAIOSFODNN7EXAMPLE"}, "access key"),
    "a profile": ({"profile": "work"}, "profile"),
    "a role": ({"assumeRoles": [{"roleArn": "arn:aws:iam::1:role/x"}]}, "assumeRoles"),
    "another account": ({"allowedAccountIds": ["999999999999"]}, DUMMY_ACCOUNT),
}


def config(endpoint: str, **differs: Any) -> dict[str, Any]:
    return {"region": "eu-central-1", "endpoints": [{"ec2": endpoint}], "accessKey": DUMMY_ACCESS_KEY, **differs}


@pytest.mark.parametrize("name", REFUSED)
def test_a_configuration_is_refused(endpoint: str, name: str) -> None:
    differs, words = REFUSED[name]
    with pytest.raises(GuardRefused, match=words):
        configured(config(endpoint, **differs), {})


def test_a_real_key_in_the_environment_is_refused(endpoint: str) -> None:
    with pytest.raises(GuardRefused, match="access key"):
        configured(config(endpoint), {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"})


def test_the_local_one_is_accepted(endpoint: str) -> None:
    aws = configured(config(endpoint, allowedAccountIds=[DUMMY_ACCOUNT], defaultTags={"tags": {"a": "1"}}), {})
    assert (aws.account_id, aws.region, aws.default_tags) == (DUMMY_ACCOUNT, "eu-central-1", {"a": "1"})

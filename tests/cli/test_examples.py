from __future__ import annotations

import pytest

from goldfleet.cli.checks.examples import examples, is_example
from goldfleet.cli.stack_account import settings_of


@pytest.mark.parametrize(
    "text", ["111111111111", "ops@example.com", "www.example.org", "a.example", "198.51.100.0/24", "203.0.113.7"]
)
def test_examples_are_known(text: str) -> None:
    assert is_example(text)


@pytest.mark.parametrize("text", ["123456789012", "ops@myexample.com", "example.com.my.org", "10.0.0.0/8", "::/0", ""])
def test_what_may_be_meant_is_none(text: str) -> None:
    assert not is_example(text)


def test_they_are_named_by_path() -> None:
    raw = {"aws": {"account_id": "1"}, "balancer": {"allowed_cidrs": ["10.0.0.0/8", "192.0.2.0/25"], "port": 80}}
    assert list(examples(raw)) == ["balancer.allowed_cidrs[1]"]


@pytest.mark.parametrize(
    ("stack", "path"), [("dev", "aws.account_id"), ("prod", "balancer.domain"), ("prod", "balancer.hosted_zone_id")]
)
def test_the_files_that_come_with_the_project_are_still_examples(stack: str, path: str) -> None:
    assert path in set(examples(settings_of(stack).raw()))


def test_nothing_needs_replacing_for_this_machine() -> None:
    assert list(examples(settings_of("local").raw())) == []

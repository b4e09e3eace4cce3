from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from goldfleet.cli.verbs.logs import Lines, as_line, seconds
from goldfleet.errors import GoldfleetError, SettingsError

GROUP = "/goldfleet/local/app"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        logs = boto3.client("logs", "eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")
        logs.create_log_group(logGroupName=GROUP)
        for clone in ("i-1", "i-2"):
            logs.create_log_stream(logGroupName=GROUP, logStreamName=clone)
        yield logs


def put(client: Any, clone: str, message: str, age: float = 0) -> None:
    event = {"timestamp": int((time.time() - age) * 1000), "message": message}
    client.put_log_events(logGroupName=GROUP, logStreamName=clone, logEvents=[event])


def messages(lines: Iterator[str]) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in lines]


def test_each_line_once_in_the_order_of_time(client: Any) -> None:
    put(client, "i-1", "second", age=5)
    put(client, "i-2", "first", age=9)
    lines = Lines(client, GROUP, None)
    assert messages(lines.new(time.time() - 60)) == ["i-2 first", "i-1 second"]
    put(client, "i-2", "third")
    assert messages(lines.new(time.time() - 60)) == ["i-2 third"]


def test_one_clone_and_not_older_than_asked(client: Any) -> None:
    put(client, "i-1", "old", age=100)
    put(client, "i-1", "new")
    put(client, "i-2", "other")
    assert messages(Lines(client, GROUP, "i-1").new(time.time() - 60)) == ["i-1 new"]


def test_no_log_group(client: Any) -> None:
    with pytest.raises(GoldfleetError, match="/other: no such log group"):
        list(Lines(client, "/other", None).new(0))


def test_a_json_line_is_shown_level_first() -> None:
    message = json.dumps({"time": "x", "level": "warning", "message": "slow", "path": "/feed"})
    line = as_line({"timestamp": 0, "logStreamName": "i-1", "message": message})
    assert line.endswith(" i-1 warning slow path=/feed")


@pytest.mark.parametrize("message", ["plain", "[1]", '"text"', "{"])
def test_any_other_line_is_shown_as_it_is(message: str) -> None:
    assert as_line({"timestamp": 0, "logStreamName": "i-1", "message": message}).endswith(f" i-1 {message}")


@pytest.mark.parametrize(("age", "expected"), [("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400)])
def test_ages(age: str, expected: int) -> None:
    assert seconds(age) == expected


@pytest.mark.parametrize("age", ["", "10", "m", "-1m", "1w", "1.5h"])
def test_what_is_no_age(age: str) -> None:
    with pytest.raises(SettingsError, match="--since"):
        seconds(age)

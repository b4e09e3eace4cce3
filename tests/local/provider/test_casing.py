"""Values between Pulumi's casing and AWS's."""

from __future__ import annotations

from typing import Any

import pytest

from goldfleet.errors import GoldfleetError
from local.provider.aws import Aws
from local.provider.casing import find_name, from_aws, lower_camel, project, same_json, to_aws


@pytest.mark.parametrize(
    ("aws", "pulumi"), [("VpcId", "vpcId"), ("DBName", "dbName"), ("ARN", "arn"), ("logGroupName", "logGroupName")]
)
def test_names_become_lower_camel(aws: str, pulumi: str) -> None:
    assert lower_camel(aws) == pulumi


def test_a_name_is_found_without_case_and_plural() -> None:
    assert find_name("vpcId", ["VpcId"]) == "VpcId"
    assert find_name("expiration", ["Expirations"]) == "Expirations"
    assert find_name("vpc", ["VpcId"]) is None


def test_parameters_follow_the_service_model(aws: Aws) -> None:
    shape = aws.input_shape("ec2", "create_launch_template").members["LaunchTemplateData"]
    value = {"ebsOptimized": "true", "blockDeviceMappings": {"deviceName": "/dev/xvda", "ebs": [{"volumeSize": "8"}]}}
    assert to_aws(value, shape, "data") == {
        "EbsOptimized": True,
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}],
    }


def test_an_unknown_nested_property_is_named(aws: Aws) -> None:
    shape = aws.input_shape("ec2", "create_launch_template").members["LaunchTemplateData"]
    with pytest.raises(GoldfleetError, match=r"^data\.blockDeviceMappings\[0\]\.ebs\.size: "):
        to_aws({"blockDeviceMappings": [{"ebs": {"size": 8}}]}, shape, "data")


SAME: list[tuple[Any, Any]] = [
    ("8000", 8000),
    (True, "true"),
    (None, False),
    (None, []),
    ({"Enabled": True, "More": 1}, {"enabled": True}),
    (["b", "a"], ["a", "b"]),
    ([{"Key": "b"}, {"Key": "a"}], [{"key": "a"}, {"key": "b"}]),
    ([{"Days": 3}], {"days": 3}),
]


@pytest.mark.parametrize(("actual", "wanted"), SAME)
def test_what_means_the_same_is_no_drift(actual: Any, wanted: Any) -> None:
    assert project(actual, wanted) == wanted


DRIFT: list[tuple[Any, Any, Any]] = [
    ("9000", 8000, "9000"),
    (None, "text", None),
    (["a", "b", "c"], ["a", "b"], ["a", "b", "c"]),
    ([], ["a"], []),
    ({"Enabled": False, "More": 1}, {"enabled": True}, {"enabled": False}),
    ([{"Key": "a", "Value": "2"}], [{"key": "a", "value": "1"}], [{"key": "a", "value": "2"}]),
    (["a", "a"], ["a", "b"], ["a", "a"]),
]


@pytest.mark.parametrize(("actual", "wanted", "seen"), DRIFT)
def test_drift_is_seen_in_the_program_s_words(actual: Any, wanted: Any, seen: Any) -> None:
    assert project(actual, wanted) == seen


def test_answers_are_read_at_any_depth() -> None:
    assert from_aws({"A": [{"DBName": 1}], "B": {"Cc": None}}) == {"a": [{"dbName": 1}], "b": {"cc": None}}


def test_json_is_compared_by_what_it_means() -> None:
    assert same_json('{"a": 1, "b": [2]}', {"b": [2], "a": 1})
    assert not same_json('{"a": 1}', '{"a": 2}')
    assert not same_json("no json", '{"a": 2}')

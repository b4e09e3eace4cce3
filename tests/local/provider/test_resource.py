"""What all rows have in common: checks, names, tags, differences, previews, failures."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from goldfleet.aws_session import DUMMY_ACCOUNT, Account
from goldfleet.errors import GoldfleetError
from goldfleet.servicer import UNKNOWN, Existing, PartlyMade
from local.provider.aws import Aws
from local.provider.plugin import ROWS
from local.provider.resource import RowResource
from local.provider.row import Wait
from local.provider.schema import schemas
from tests.local.provider.ground import TRUST, Ground, Rows, context


@pytest.fixture
def tagged(endpoint: str) -> Rows:
    """Rows with a default tag."""
    return Rows(Aws(Account(DUMMY_ACCOUNT, "eu-central-1", endpoint), {"owner": "us", "a": "default"}))


def test_a_property_that_no_row_knows_is_named(rows: Rows) -> None:
    _, failures = rows["vpc:Vpc"].check({"cidrBlock": "10.0.0.0/16", "ipv6IpamPoolIdx": "x"}, {}, context())
    assert [failure.property for failure in failures] == ["ipv6IpamPoolIdx"]
    assert "aws:ec2/vpc:Vpc" in failures[0].reason


def test_a_name_is_made_once_and_kept(rows: Rows) -> None:
    first = rows.checked("topic:Topic", {})
    assert first["name"].startswith("thing-")
    assert rows.checked("topic:Topic", {}, first)["name"] == first["name"]
    assert rows.checked("topic:Topic", {"name": "ours"}, first)["name"] == "ours"


def test_a_prefix_makes_a_name_and_another_prefix_another(rows: Rows) -> None:
    first = rows.checked("secret:Secret", {"namePrefix": "app/"})
    assert first["name"].startswith("app/")
    assert rows.checked("secret:Secret", {"namePrefix": "web/"}, first)["name"].startswith("web/")


def test_a_name_fits(rows: Rows) -> None:
    checked, _ = rows["loadBalancer:LoadBalancer"].check({"subnets": []}, {}, context(name="x" * 80))
    assert len(checked["name"]) == 32


def test_default_tags_are_merged_and_drift_of_tags_is_seen(tagged: Rows, aws: Aws) -> None:
    made = tagged.create("eip:Eip", {"domain": "vpc", "tags": {"a": "mine"}})
    assert made.state["tagsAll"] == {"owner": "us", "a": "mine"}
    aws.call("ec2", "create_tags", Resources=[made.id], Tags=[{"Key": "stray", "Value": "1"}])
    found = tagged.read("eip:Eip", made)
    assert found is not None
    assert found.inputs["tags"] == {"owner": "us", "a": "mine", "stray": "1"}
    tagged.update("eip:Eip", found, {"domain": "vpc", "tags": {"a": "mine"}})
    repaired = tagged.read("eip:Eip", made)
    assert repaired is not None
    assert repaired.inputs["tags"] == {"owner": "us", "a": "mine"}
    tagged.delete("eip:Eip", made)


def test_what_cannot_change_needs_a_new_resource(rows: Rows, ground: Ground) -> None:
    old = Existing("subnet-1", rows.checked("subnet:Subnet", {"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"}), {})
    diff = rows.diff("subnet:Subnet", old, {"vpcId": "vpc-1", "cidrBlock": "10.0.1.0/24"})
    assert diff.replaces == ("cidrBlock",)
    group = Existing("sg-1", rows.checked("securityGroup:SecurityGroup", {"name": "g", "description": "a"}), {})
    diff = rows.diff("securityGroup:SecurityGroup", group, {"name": "g", "description": "b"})
    assert (diff.replaces, diff.delete_before_replace) == (("description",), True)


def test_json_and_order_are_no_difference(rows: Rows) -> None:
    spaced = json.dumps(json.loads(TRUST), indent=2)
    role = Existing("r", rows.checked("role:Role", {"name": "r", "assumeRolePolicy": TRUST}), {})
    assert rows.diff("role:Role", role, {"name": "r", "assumeRolePolicy": spaced}).changes == ()
    group = {"name": "s", "description": "d", "subnetIds": ["a", "b"]}
    subnets = Existing("s", rows.checked("rds/subnetGroup:SubnetGroup", group), {})
    assert rows.diff("rds/subnetGroup:SubnetGroup", subnets, {**group, "subnetIds": ["b", "a"]}).changes == ()


def test_an_unknown_value_is_a_difference(rows: Rows) -> None:
    old = Existing("p", rows.checked("parameter:Parameter", {"name": "p", "type": "String", "value": "1"}), {})
    diff = rows.diff("parameter:Parameter", old, {"name": "p", "type": "String", "value": UNKNOWN})
    assert diff.changes == ("value",)


def test_a_preview_calls_nobody_and_leaves_outputs_open() -> None:
    offline = Rows(Aws(Account(DUMMY_ACCOUNT, "eu-central-1", "http://127.0.0.1:9"), {}))
    id_, state = offline["vpc:Vpc"].create({"cidrBlock": "10.0.0.0/16"}, context(preview=True))
    assert (id_, state["cidrBlock"], state["arn"]) == ("", "10.0.0.0/16", UNKNOWN)
    old = Existing("lt-1", {"name": "t"}, {"name": "t", "latestVersion": 1, "arn": "arn"})
    after = offline["launchTemplate:LaunchTemplate"].update(old, {"name": "t"}, context(preview=True))
    assert (after["latestVersion"], after["arn"]) == (UNKNOWN, "arn")


def test_a_certificate_says_how_it_is_validated(rows: Rows) -> None:
    made = rows.create("certificate:Certificate", {"domainName": "www.example.com", "validationMethod": "DNS"})
    assert made.state["domainValidationOptions"][0]["resourceRecordType"] == "CNAME"
    rows.delete("certificate:Certificate", made)


def test_a_group_is_emptied_before_it_is_deleted(rows: Rows, ground: Ground, aws: Aws) -> None:
    template = rows.create("launchTemplate:LaunchTemplate", {"imageId": ground.image, "instanceType": "t3.micro"})
    inputs: dict[str, Any] = {
        "name": "fleet",
        "minSize": 1,
        "maxSize": 2,
        "desiredCapacity": 1,
        "vpcZoneIdentifiers": ground.subnets,
        "launchTemplate": {"id": template.id, "version": "1"},
        "waitForCapacityTimeout": "0",
    }
    group = rows.create("group:Group", inputs)
    found = rows.read("group:Group", group)
    assert found is not None
    assert found.inputs == group.inputs
    rows.delete("group:Group", group)
    rows.delete("launchTemplate:LaunchTemplate", template)
    assert aws.call("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"] == []


def test_a_wait_is_given_up_with_the_last_that_was_seen(aws: Aws) -> None:
    row = next(row for row in ROWS if row.kind == "aws:ec2/vpc:Vpc")
    never = replace(row, ready=Wait("usable", "State", frozenset({"usable"})))
    resource = RowResource(never, schemas()[row.kind], lambda: aws)
    with pytest.raises(
        PartlyMade, match=r"not usable after 0 seconds; vpc-\w+ is available; `goldfleet status`"
    ) as late:
        resource.create({"cidrBlock": "10.9.0.0/16"}, context(timeout=0.0))
    aws.call("ec2", "delete_vpc", VpcId=late.value.id)


def test_a_failure_after_the_creation_keeps_what_was_made(rows: Rows, ground: Ground, aws: Aws) -> None:
    template = rows.create("launchTemplate:LaunchTemplate", {"imageId": ground.image, "instanceType": "t3.micro"})
    inputs = {"name": "waiting", "minSize": 0, "maxSize": 0, "vpcZoneIdentifiers": ground.subnets, "forceDelete": True}
    checked = rows.checked("group:Group", {**inputs, "launchTemplate": {"id": template.id, "version": "1"}})
    with pytest.raises(PartlyMade, match="waitForCapacityTimeout") as caught:
        rows["group:Group"].create(checked, context())
    assert (caught.value.id, caught.value.state["name"]) == ("waiting", "waiting")
    names = {"AutoScalingGroupNames": ["waiting"]}
    assert aws.call("autoscaling", "describe_auto_scaling_groups", **names)["AutoScalingGroups"]
    rows.delete("group:Group", Existing(caught.value.id, checked, caught.value.state))
    rows.delete("launchTemplate:LaunchTemplate", template)


def test_a_replica_without_a_source_is_promoted_in_place(rows: Rows, ground: Ground, aws: Aws) -> None:
    """As pulumi-aws: promoted first, then changed; and its zone is not taken from it because nobody asks for it."""
    kind, common = "rds/instance:Instance", {"instanceClass": "db.t4g.micro", "skipFinalSnapshot": True}
    main = rows.create(
        kind,
        {
            **common,
            "identifier": "lost",
            "engine": "postgres",
            "allocatedStorage": 20,
            "username": "owner",
            "password": "a-long-password",
            "backupRetentionPeriod": 7,
            "vpcSecurityGroupIds": [ground.group],
        },
    )
    inputs = {**common, "identifier": "kept"}
    replica = rows.create(kind, {**inputs, "replicateSourceDb": "lost", "availabilityZone": "eu-central-1b"})
    promoted = {**inputs, "backupRetentionPeriod": 3, "multiAz": True, "password": "a-long-password"}
    change = rows.diff(kind, replica, promoted)
    assert "availabilityZone" not in change.changes
    assert change.replaces == ()
    replica = rows.update(kind, replica, promoted)
    (found,) = aws.call("rds", "describe_db_instances", DBInstanceIdentifier="kept")["DBInstances"]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in found
    assert (found["BackupRetentionPeriod"], found["MultiAZ"], found["AvailabilityZone"]) == (3, True, "eu-central-1b")
    with pytest.raises(GoldfleetError, match="cannot elect new source database"):
        rows.update(kind, replica, {**promoted, "replicateSourceDb": "lost"})
    for each in (replica, main):
        rows.delete(kind, each)

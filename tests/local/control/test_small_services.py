"""What buckets, log groups, budgets and managed policies need beyond moto."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import name


def _bucket(control: Control, *statements: dict[str, Any]) -> str:
    bucket, s3 = name("bucket"), control.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    written = [{**statement, "Resource": [f"arn:aws:s3:::{bucket}/*"]} for statement in statements]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": written}))
    return bucket


def test_a_policy_against_plain_http_does_not_lock_us_out(control: Control) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    bucket, s3 = _bucket(control, deny), control.client("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"
    shown = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert shown["Statement"][0]["Condition"] == deny["Condition"]


def test_an_unconditional_deny_still_denies(control: Control) -> None:
    bucket = _bucket(control, {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject"})
    with pytest.raises(ClientError, match="403"):
        control.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")


def test_log_lines_are_kept_filtered_and_read(control: Control) -> None:
    logs, group = control.client("logs"), name("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="i-1")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + number, "message": f'{{"n": {number}}}'} for number in range(3)]
    logs.put_log_events(logGroupName=group, logStreamName="i-1", logEvents=events)
    read = logs.get_log_events(logGroupName=group, logStreamName="i-1", startFromHead=True)["events"]
    assert [event["message"] for event in read] == [event["message"] for event in events]
    found = logs.filter_log_events(logGroupName=group, startTime=now + 1, endTime=now + 1)["events"]
    assert [event["message"] for event in found] == ['{"n": 1}']


def test_the_key_of_a_log_group_changes(control: Control) -> None:
    logs, group = control.client("logs"), name("group")
    logs.create_log_group(logGroupName=group)
    logs.associate_kms_key(logGroupName=group, kmsKeyId="arn:aws:kms:eu-central-1:123456789012:key/k")
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert found["kmsKeyId"].endswith("key/k")
    logs.disassociate_kms_key(logGroupName=group)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert "kmsKeyId" not in found


def test_a_budget_changes_and_tells_whom_it_warns(control: Control) -> None:
    budgets, budget = control.client("budgets"), name("budget")
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    subscriber = {"SubscriptionType": "EMAIL", "Address": "a@example.com"}
    shape = {"BudgetName": budget, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    budgets.create_budget(
        AccountId="123456789012",
        Budget={**shape, "BudgetLimit": {"Amount": "10", "Unit": "USD"}},
        NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": [subscriber]}],
    )
    budgets.update_budget(AccountId="123456789012", NewBudget={**shape, "BudgetLimit": {"Amount": "20", "Unit": "USD"}})
    found = budgets.describe_budget(AccountId="123456789012", BudgetName=budget)["Budget"]
    assert found["BudgetLimit"]["Amount"] == "20"
    told = budgets.describe_subscribers_for_notification(
        AccountId="123456789012", BudgetName=budget, Notification=notification
    )
    assert told["Subscribers"] == [subscriber]


def test_managed_policies_can_be_attached(control: Control) -> None:
    iam, role = control.client("iam"), name("role")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
    iam.attach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonSSMManagedInstanceCore"]

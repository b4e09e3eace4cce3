"""The door in front of moto: it names and records calls, hides secrets, delays and fails calls, tells of changes."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control, wait_until
from tests.local.control.stack import BLOCK, make_snapshot, name


@pytest.fixture
def clean(control: Control) -> Iterator[Control]:
    """A control plane without faults and with an empty record."""
    control.local("DELETE", "faults")
    control.local("DELETE", "requests")
    yield control
    control.local("DELETE", "faults")


def _requests(control: Control) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.local("GET", "requests")
    return found


def test_every_protocol_of_aws_is_recorded_by_service_and_action(clean: Control) -> None:
    bucket = name("bucket")
    clean.client("ec2").describe_vpcs()
    clean.client("elbv2").describe_load_balancers()
    clean.client("ssm").describe_parameters()
    clean.client("cloudwatch").describe_alarms()
    clean.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    clean.client("s3").put_object(Bucket=bucket, Key="a/b", Body=b"x")
    clean.client("route53").list_hosted_zones()
    clean.client("ebs").start_snapshot(VolumeSize=1)
    recorded = [(each["service"], each["action"]) for each in _requests(clean)]
    assert recorded == [
        ("ec2", "DescribeVpcs"),
        ("elbv2", "DescribeLoadBalancers"),
        ("ssm", "DescribeParameters"),
        ("cloudwatch", "DescribeAlarms"),
        ("s3", "CreateBucket"),
        ("s3", "PutObject"),
        ("route53", "ListHostedZones"),
        ("ebs", "StartSnapshot"),
    ]


def test_the_record_shows_parameters_as_boto3_takes_them(clean: Control) -> None:
    clean.client("ec2").describe_vpcs(Filters=[{"Name": "tag:a", "Values": ["b"]}])
    (entry,) = _requests(clean)
    assert entry["parameters"] == {"Filters": [{"Name": "tag:a", "Values": ["b"]}]}
    assert entry["status"] == 200
    assert entry["seconds"] >= 0


def test_secrets_are_not_in_the_record(clean: Control) -> None:
    secret = "hunter2-hunter2-hunter2"
    clean.client("secretsmanager").create_secret(Name=name("secret"), SecretString=secret)
    clean.client("ssm").put_parameter(Name=name("/p"), Value=secret, Type="SecureString")
    clean.client("elasticache").create_user(
        UserId=name("user"), UserName="app", Engine="valkey", AccessString="on ~* +@all", Passwords=[secret]
    )
    clean.client("elasticache").create_user(
        UserId=name("user"),
        UserName="app",
        Engine="valkey",
        AccessString="on ~* +@all",
        AuthenticationMode={"Type": "password", "Passwords": [secret]},
    )
    clean.client("rds").create_db_instance(
        DBInstanceIdentifier=name("main"),
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        MasterUsername="owner",
        MasterUserPassword=secret,
        AllocatedStorage=20,
    )
    recorded = _requests(clean)
    assert len(recorded) == 5
    assert secret not in str(recorded)
    assert "owner" in str(recorded)


def test_large_bodies_are_not_kept(clean: Control) -> None:
    make_snapshot(clean, {0: b"x" * BLOCK})
    assert "xxxx" not in str(_requests(clean))


def test_a_call_can_be_failed_with_an_error_of_its_service(clean: Control) -> None:
    rules = [
        {"service": "ec2", "action": "DescribeVpcs", "error": "RequestLimitExceeded", "status": 503},
        {"service": "ssm", "error": "ThrottlingException", "status": 400},
        {"service": "s3", "error": "SlowDown", "status": 503},
        {"service": "elasticache", "error": "InternalFailure", "status": 500},
    ]
    for rule in rules:
        clean.local("POST", "faults", rule)
    calls = [
        (clean.client("ec2").describe_vpcs, "RequestLimitExceeded", 503),
        (clean.client("ssm").describe_parameters, "ThrottlingException", 400),
        (clean.client("s3").list_buckets, "SlowDown", 503),
        (clean.client("elasticache").describe_users, "InternalFailure", 500),
    ]
    for call, code, status in calls:
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    clean.client("ec2").describe_subnets()
    assert [rule["hits"] for rule in clean.local("GET", "faults")] == [1, 1, 1, 1]


def test_a_failed_call_is_not_carried_out(clean: Control) -> None:
    topic = name("topic")
    clean.local("POST", "faults", {"service": "sns", "action": "CreateTopic", "error": "InternalError"})
    with pytest.raises(ClientError):
        clean.client("sns").create_topic(Name=topic)
    arns = [each["TopicArn"] for each in clean.client("sns").list_topics()["Topics"]]
    assert not any(arn.endswith(topic) for arn in arns)


def test_a_rule_ends_after_its_number_of_times(clean: Control) -> None:
    clean.local("POST", "faults", {"service": "ec2", "error": "Unavailable", "status": 503, "times": 2})
    failed = [_fails(clean) for _ in range(4)]
    assert failed == [True, True, False, False]


def test_the_same_seed_hits_the_same_calls(clean: Control) -> None:
    runs = []
    for _ in range(2):
        clean.local("DELETE", "faults")
        clean.local("POST", "faults", {"service": "ec2", "error": "Unavailable", "probability": 0.5, "seed": 7})
        runs.append([_fails(clean) for _ in range(12)])
    assert runs[0] == runs[1]
    assert 0 < sum(runs[0]) < 12


def test_a_delayed_call_is_answered_and_holds_nobody_else_up(clean: Control) -> None:
    clean.local("POST", "faults", {"service": "ec2", "action": "DescribeVpcs", "delay_seconds": 3})
    slow = threading.Thread(target=clean.client("ec2").describe_vpcs)
    slow.start()
    wait_until(lambda: clean.local("GET", "faults")[0]["hits"] == 1)
    clean.client("sts").get_caller_identity()
    assert slow.is_alive()
    slow.join(10)
    recorded = {each["action"]: each["seconds"] for each in _requests(clean)}
    assert recorded["DescribeVpcs"] >= 3


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("faults", {"servise": "ec2"}),
        ("faults", {"probability": 2}),
        ("faults", {"delay_seconds": -1}),
        ("faults", [1]),
        ("stores", {"mysql": {}}),
        ("targets", {"arn": {"i-1": {}}}),
        ("instances", {"i-1": {}}),
    ],
)
def test_bad_input_is_a_400_that_says_why(clean: Control, path: str, content: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        clean.local("POST", path, content)
    assert caught.value.code == 400
    assert b"error" in caught.value.read()


def test_an_unknown_local_call_is_a_404(clean: Control) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        clean.local("GET", "nothing")


@pytest.mark.parametrize("path", ["/moto-api/data.json", "/latest/meta-data/iam"])
def test_motos_own_doors_are_closed(control: Control, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(control.endpoint + path, timeout=10)


def test_a_host_name_that_was_made_to_point_here_is_turned_away(control: Control) -> None:
    request = urllib.request.Request(f"{control.endpoint}/_local/passwords", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(request, timeout=10)


def test_a_virtual_machine_names_the_control_plane_by_the_address_on_its_own_link(control: Control) -> None:
    request = urllib.request.Request(f"{control.endpoint}/_local/changes", headers={"Host": "169.254.1.1:4566"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


def test_a_service_that_does_not_exist_is_an_error_not_a_crash(control: Control) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=x/20260101/eu-central-1/nonsense/aws4_request"
    request = urllib.request.Request(control.endpoint, b"", headers={"Authorization": scope})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(request, timeout=10)


def test_a_missing_operation_is_named(clean: Control) -> None:
    with pytest.raises(ClientError, match="no ec2 DescribeTrunkInterfaceAssociations"):
        clean.client("ec2").describe_trunk_interface_associations()


def test_a_change_wakes_who_waits_for_it_and_a_read_does_not(clean: Control) -> None:
    version = clean.local("GET", "changes?timeout=0")["version"]
    clean.client("ec2").describe_vpcs()
    assert clean.local("GET", f"changes?after={version}&timeout=0.3")["version"] == version
    seen: list[int] = []
    waiter = threading.Thread(
        target=lambda: seen.append(clean.local("GET", f"changes?after={version}&timeout=20")["version"])
    )
    waiter.start()
    clean.client("sns").create_topic(Name=name("topic"))
    waiter.join(10)
    assert seen
    assert seen[0] > version


def test_log_lines_wake_nobody(clean: Control) -> None:
    logs, group = clean.client("logs"), name("group")
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    version = clean.local("GET", "changes?timeout=0")["version"]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": 1, "message": "hello"}])
    assert clean.local("GET", "changes?timeout=0")["version"] == version


def _fails(control: Control) -> bool:
    try:
        control.client("ec2").describe_vpcs()
    except ClientError:
        return True
    return False

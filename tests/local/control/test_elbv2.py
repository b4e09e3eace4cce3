"""Load balancers and targets: healthy when reported, protected when asked, refused where AWS refuses."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.local.control.running import Control
from tests.local.control.stack import make_fleet, make_network, name


def _balancer(control: Control) -> str:
    network = make_network(control)
    answer = control.client("elbv2").create_load_balancer(Name=name("alb"), Subnets=list(network.subnets))
    arn: str = answer["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def _set(control: Control, balancer: str, **attributes: str) -> None:
    pairs = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
    control.client("elbv2").modify_load_balancer_attributes(LoadBalancerArn=balancer, Attributes=pairs)


def test_a_balancer_answers_at_an_address_of_this_machine(control: Control) -> None:
    balancer = _balancer(control)
    (found,) = control.client("elbv2").describe_load_balancers(LoadBalancerArns=[balancer])["LoadBalancers"]
    assert found["DNSName"].startswith(f"127.{control.network + 1}.")


def test_a_target_is_initial_until_its_health_is_reported(reported: Control) -> None:
    fleet = make_fleet(reported)
    one, other = fleet.in_service()
    assert fleet.health() == {one: "initial", other: "initial"}
    reported.local(
        "POST",
        "targets",
        {fleet.target_group: {one: {"state": "healthy"}, other: {"state": "unhealthy", "reason": "Target.Timeout"}}},
    )
    answer = reported.client("elbv2").describe_target_health(TargetGroupArn=fleet.target_group)
    health = {each["Target"]["Id"]: each["TargetHealth"] for each in answer["TargetHealthDescriptions"]}
    assert health[one]["State"] == "healthy"
    assert (health[other]["State"], health[other]["Reason"]) == ("unhealthy", "Target.Timeout")
    assert health[other]["Description"] == "Request timed out"


def test_targets_without_a_listener_are_not_used(control: Control) -> None:
    fleet, elbv2 = make_fleet(control), control.client("elbv2")
    assert set(fleet.health().values()) == {"healthy"}
    (listener,) = elbv2.describe_listeners(LoadBalancerArn=fleet.load_balancer)["Listeners"]
    elbv2.delete_listener(ListenerArn=listener["ListenerArn"])
    assert set(fleet.health().values()) == {"unused"}


def test_deletion_protection_is_honoured(control: Control) -> None:
    elbv2, balancer = control.client("elbv2"), _balancer(control)
    _set(control, balancer, deletion_protection__enabled="true")
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    _set(control, balancer, deletion_protection__enabled="false")
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        elbv2.describe_load_balancers(LoadBalancerArns=[balancer])


def test_a_balancer_needs_two_zones(control: Control) -> None:
    subnet = make_network(control).subnets[0]
    with pytest.raises(ClientError, match="two different Availability Zones"):
        control.client("elbv2").create_load_balancer(Name=name("alb"), Subnets=[subnet])


def test_https_needs_a_certificate_and_a_port_of_its_own(control: Control) -> None:
    elbv2, balancer = control.client("elbv2"), _balancer(control)
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    with pytest.raises(ClientError, match="certificate must be specified"):
        elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, DefaultActions=fixed)
    made = elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=fixed)
    assert "SslPolicy" not in made["Listeners"][0]
    with pytest.raises(ClientError, match="DuplicateListener"):
        elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=fixed)


def test_access_logs_need_a_bucket_that_admits_them(control: Control) -> None:
    bucket, balancer, s3 = name("bucket"), _balancer(control), control.client("s3")
    logs = {"access_logs__s3__enabled": "true", "access_logs__s3__bucket": bucket}
    with pytest.raises(ClientError, match="Access Denied for bucket"):
        _set(control, balancer, **logs)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    with pytest.raises(ClientError, match="Access Denied for bucket"):
        _set(control, balancer, **logs)
    principal = {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    allow = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    _set(control, balancer, **logs)


def test_attributes_have_awss_defaults(control: Control) -> None:
    answer = control.client("elbv2").describe_load_balancer_attributes(LoadBalancerArn=_balancer(control))
    found = {each["Key"]: each["Value"] for each in answer["Attributes"]}
    assert found["idle_timeout.timeout_seconds"] == "60"
    assert found["routing.http.desync_mitigation_mode"] == "defensive"
    assert found["access_logs.s3.enabled"] == "false"

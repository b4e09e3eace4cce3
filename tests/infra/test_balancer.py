"""The load balancer: deadlines from the contract, HTTPS with a domain, and nothing sticky."""

from __future__ import annotations

from collections.abc import Callable

from goldfleet.contract import deadlines, service
from tests.infra.recorder import Resources

Made = Callable[..., Resources]


def test_the_target_group_follows_the_contract(made: Made) -> None:
    group = made("prod").one("TargetGroup").inputs
    assert (group["port"], group["protocol"], group["targetType"]) == (service.PORT, "HTTP", "instance")
    assert group["deregistrationDelay"] == deadlines.DRAIN
    assert group["healthCheck"]["path"] == service.HEALTH_PATH
    assert group["healthCheck"]["interval"] == deadlines.HEALTH_INTERVAL
    assert group["healthCheck"]["timeout"] < group["healthCheck"]["interval"]


def test_any_clone_may_answer(made: Made) -> None:
    group = made("prod").one("TargetGroup").inputs
    assert group["stickiness"]["enabled"] is False
    assert (group["loadBalancingAlgorithmType"], group["loadBalancingAnomalyMitigation"]) == ("weighted_random", "on")
    assert "slowStart" not in group


def test_a_clone_keeps_connections_longer_than_the_balancer(made: Made) -> None:
    assert made("prod").one("LoadBalancer").inputs["idleTimeout"] < deadlines.KEEP_ALIVE


def test_with_a_domain_there_is_a_proved_certificate_and_a_name(made: Made) -> None:
    resources = made("prod")
    records = {one.inputs["name"]: one.inputs for one in resources.of("Record")}
    assert records["_proof.www.example.com"]["records"] == ["_value.acm"]
    assert records["www.example.com"]["aliases"][0]["name"] == "balancer.example"
    assert {record["zoneId"] for record in records.values()} == {"Z0123456789EXAMPLE"}
    https = resources.one("Listener", "balancer-https").inputs
    assert (https["port"], https["protocol"]) == (443, "HTTPS")
    assert https["certificateArn"] == "arn:aws:mock:::balancer-tls-certificate"


def test_plain_http_is_one_listener(made: Made) -> None:
    resources = made("local")
    listener = resources.one("Listener").inputs
    assert (listener["port"], listener["protocol"], listener["defaultActions"][0]["type"]) == (8080, "HTTP", "forward")
    assert not resources.of("Certificate") + resources.of("Record")


def test_people_come_from_where_the_setting_says(made: Made) -> None:
    rules = [one.inputs for one in made("local").of("SecurityGroupIngressRule") if "cidrIpv4" in one.inputs]
    assert [(rule["cidrIpv4"], rule["fromPort"]) for rule in rules] == [("127.0.0.0/8", 8080)]


def test_clones_admit_the_balancer_only(made: Made) -> None:
    resources = made("prod")
    targets = "balancer-access-server-id"
    assert targets in resources.one("LaunchTemplate").inputs["vpcSecurityGroupIds"]
    rules = [one.inputs for one in resources.of("SecurityGroupIngressRule") if one.inputs["securityGroupId"] == targets]
    assert [(rule["referencedSecurityGroupId"], rule["fromPort"]) for rule in rules] == [
        ("balancer-access-client-id", service.PORT)
    ]
    assert resources.one("LoadBalancer").inputs["securityGroups"] == ["balancer-access-client-id"]


def test_logs_outlive_the_stack_only_where_it_is_protected(made: Made) -> None:
    assert made("local").one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is True
    assert made("prod").one("aws:s3/bucket:Bucket").inputs["forceDestroy"] is False

"""The network: who has a way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.settings.rules_network import REQUIRED_WITHOUT_NAT
from tests.infra.recorder import Resources

Made = Callable[..., Resources]
WITHOUT_NAT = {"network.nat": "none", "network.interface_endpoints": list(REQUIRED_WITHOUT_NAT)}


def routes(resources: Resources) -> dict[str, str]:
    """Route table -> where everything goes."""
    return {
        one.inputs["routeTableId"]: one.inputs.get("natGatewayId") or one.inputs["gatewayId"]
        for one in resources.of("Route")
    }


def test_each_zone_has_three_subnets_in_that_zone(made: Made) -> None:
    zones = {one.name: one.inputs["availabilityZone"] for one in made("prod").of("Subnet")}
    assert zones == {
        f"network-{kind}-{letter}": f"eu-central-1{letter}" for kind in ("public", "app", "data") for letter in "abc"
    }


def test_adding_a_zone_moves_no_subnet(made: Made) -> None:
    two, three = (
        {one.name: one.inputs for one in made("dev", {"network.zones": zones}).of("Subnet")}
        for zones in (["a", "b"], ["a", "b", "c"])
    )
    assert two.items() <= three.items()
    assert len(three) == len(two) + 3


@pytest.mark.parametrize(
    ("nat", "expected"),
    [
        ("per_zone", {"a": "network-nat-a-id", "b": "network-nat-b-id"}),
        ("single", {"a": "network-nat-a-id", "b": "network-nat-a-id"}),
    ],
)
def test_app_subnets_leave_through_nat(made: Made, nat: str, expected: dict[str, str]) -> None:
    found = routes(made("dev", {"network.nat": nat}))
    assert {letter: found[f"network-app-{letter}-routes-id"] for letter in expected} == expected
    assert found["network-public-routes-id"] == "network-gateway-id"
    assert "network-data-routes-id" not in found


def test_without_nat_only_public_subnets_have_a_route(made: Made) -> None:
    resources = made("dev", WITHOUT_NAT)
    assert routes(resources) == {"network-public-routes-id": "network-gateway-id"}
    assert not resources.of("NatGateway") + resources.of("Eip")


def test_the_free_endpoints_serve_app_and_data_subnets(made: Made) -> None:
    for service in ("s3", "dynamodb"):
        endpoint = made("dev").one("VpcEndpoint", f"outbound-{service}").inputs
        assert endpoint["serviceName"] == f"com.amazonaws.eu-central-1.{service}"
        assert set(endpoint["routeTableIds"]) == {
            "network-app-a-routes-id",
            "network-app-b-routes-id",
            "network-data-routes-id",
        }


def test_with_nat_clones_leave_by_https_only(made: Made) -> None:
    rules = egress(made("dev"), "outbound-outbound-id")
    assert {rule["fromPort"] for rule in rules} == {443}
    assert [rule["cidrIpv4"] for rule in rules if "cidrIpv4" in rule] == ["0.0.0.0/0"]


def test_without_nat_clones_reach_endpoints_only(made: Made) -> None:
    resources = made("dev", WITHOUT_NAT)
    rules = egress(resources, "outbound-outbound-id")
    assert not [rule for rule in rules if "cidrIpv4" in rule]
    assert [rule["referencedSecurityGroupId"] for rule in rules if "referencedSecurityGroupId" in rule] == [
        "outbound-endpoints-id"
    ]
    interface = [one for one in resources.of("VpcEndpoint") if one.inputs["vpcEndpointType"] == "Interface"]
    assert {one.inputs["serviceName"].rpartition(".")[2] for one in interface} == set(REQUIRED_WITHOUT_NAT)
    assert all(one.inputs["securityGroupIds"] == ["outbound-endpoints-id"] for one in interface)


def egress(resources: Resources, group: str) -> list[dict[str, object]]:
    return [
        dict(one.inputs) for one in resources.of("SecurityGroupEgressRule") if one.inputs["securityGroupId"] == group
    ]


def test_the_flow_log_may_write_to_its_group(made: Made) -> None:
    resources = made("dev")
    assert resources.one("FlowLog").inputs["logDestination"] == "arn:aws:mock:::flow-group"
    assert resources.one("LogGroup", "flow-group").inputs["kmsKeyId"] == "arn:aws:mock:::data-key-key"


def test_security_groups_name_each_other_never_addresses(made: Made) -> None:
    """But for the balancer's people and HTTPS through NAT."""
    resources = made("prod")
    by_address = [
        one.name
        for one in (*resources.of("SecurityGroupIngressRule"), *resources.of("SecurityGroupEgressRule"))
        if "cidrIpv4" in one.inputs
    ]
    assert sorted(by_address) == ["balancer-world-0-443", "balancer-world-0-80", "outbound-internet-egress"]

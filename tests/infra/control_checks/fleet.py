"""Checks of the clones, their group and their network: EC2, AutoScaling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.instance_types import FAMILIES
from tests.infra.control_checks.reading import Checks, all_of, template
from tests.infra.recorder import Resources

WORLD_PORTS = {80, 443}
CHECKS = Checks()


def world_rules(resources: Resources) -> list[Mapping[str, Any]]:
    return [one.inputs for one in resources.of("SecurityGroupIngressRule") if one.inputs.get("cidrIpv4") == "0.0.0.0/0"]


@CHECKS.reads("EC2.2")
def default_group_is_empty(resources: Resources) -> None:
    all_of(resources, "DefaultSecurityGroup", ingress=[], egress=[])


@CHECKS.reads("EC2.3", "EC2.181")
def volumes_are_encrypted(resources: Resources) -> None:
    mappings = template(resources)["blockDeviceMappings"]
    assert [one["deviceName"] for one in mappings] == ["/dev/xvda", "/dev/sdf"]
    assert all(one["ebs"]["encrypted"] == "true" for one in mappings)


@CHECKS.reads("EC2.4")
def clones_are_replaced(resources: Resources) -> None:
    assert resources.one("aws:autoscaling/group:Group").inputs["maxInstanceLifetime"] <= 30 * 86_400


@CHECKS.reads("EC2.6")
def the_vpc_is_logged(resources: Resources) -> None:
    all_of(resources, "FlowLog", trafficType="REJECT", vpcId="network-vpc-id")


@CHECKS.reads("EC2.8", "EC2.170", "AutoScaling.3", "AutoScaling.4")
def metadata_needs_a_token_and_one_hop(resources: Resources) -> None:
    options = template(resources)["metadataOptions"]
    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)


@CHECKS.reads("EC2.9", "EC2.15", "EC2.25", "AutoScaling.5")
def no_public_addresses(resources: Resources) -> None:
    all_of(resources, "Subnet", mapPublicIpOnLaunch=False)
    assert "networkInterfaces" not in template(resources)


@CHECKS.reads("EC2.12")
def addresses_are_used(resources: Resources) -> None:
    used = {one.inputs["allocationId"] for one in resources.of("NatGateway")}
    assert used == {f"{one.name}-id" for one in resources.of("Eip")}


@CHECKS.reads("EC2.13", "EC2.14", "EC2.53", "EC2.54", "EC2.18", "EC2.19")
def the_world_reaches_two_ports(resources: Resources) -> None:
    rules = world_rules(resources)
    assert {rule["fromPort"] for rule in rules} == WORLD_PORTS
    assert all(rule["fromPort"] == rule["toPort"] for rule in rules)
    assert not any(one.inputs.get("cidrIpv6") for one in resources.of("SecurityGroupIngressRule"))
    assert all(not one.inputs.get("ingress") for one in resources.of("SecurityGroup"))


@CHECKS.reads("EC2.16")
def no_network_acls(resources: Resources) -> None:
    assert not resources.of("NetworkAcl")


@CHECKS.reads("EC2.17", "EC2.180")
def one_network_interface(resources: Resources) -> None:
    assert not resources.of("NetworkInterface")
    assert "networkInterfaces" not in template(resources)


@CHECKS.reads("EC2.24")
def clones_are_on_nitro(resources: Resources) -> None:
    assert template(resources)["instanceType"].partition(".")[0] in FAMILIES


@CHECKS.reads("AutoScaling.1")
def the_group_asks_the_balancer(resources: Resources) -> None:
    all_of(resources, "aws:autoscaling/group:Group", healthCheckType="ELB")


@CHECKS.reads("AutoScaling.2")
def the_group_spans_zones(resources: Resources) -> None:
    assert len(set(resources.one("aws:autoscaling/group:Group").inputs["vpcZoneIdentifiers"])) >= 2


@CHECKS.reads("AutoScaling.9")
def the_group_uses_a_launch_template(resources: Resources) -> None:
    group = resources.one("aws:autoscaling/group:Group").inputs
    assert group["launchTemplate"]["id"] == "fleet-template-id"
    assert "launchConfiguration" not in group

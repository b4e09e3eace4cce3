"""The stack `local` through its settings, from its first `up` to its end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.inventory import inventory
from tests.engine.life import assert_unchanged, life
from tests.engine.world import Change, World

pytestmark = pytest.mark.engine

MATRIX: list[Change] = [
    {"network.zones": ["a", "b", "c"], "network.nat": "per_zone", "database.replicas": 3, "sessions.replicas": 2},
    {
        "network.zones": ["a", "b"],
        "network.nat": "none",
        "network.interface_endpoints": ["secretsmanager", "kms", "logs", "monitoring", "ssm", "ssmmessages", "sts"],
        "database.replicas": 0,
    },
    {"network.zones": ["a", "b", "c"], "network.nat": "single", "database.replicas": 1, "sessions.replicas": 1},
]


def test_a_stack_follows_its_settings(world: Callable[..., World]) -> None:
    """Zones, NAT and replicas, one after the other on the same stack: AWS has what the settings say, and no more."""
    stage = world("local")
    with life(stage):
        assert_unchanged(stage)
        for changes in MATRIX:
            stage.engine(changes).up()
            assert_follows(stage, changes)
            assert stage.touched(changes) == {}
        stage.engine(MATRIX[-1]).destroy()


def assert_follows(stage: World, changes: Change) -> None:
    """As many of everything as the settings say, counted by boto3."""
    zones, there = len(changes["network.zones"]), inventory(stage)
    assert len([key for key in there["database"] if "replica" in key]) == changes["database.replicas"]
    assert len(there["NAT gateway"]) == {"per_zone": zones, "single": 1, "none": 0}[changes["network.nat"]]
    assert len(there["endpoint"]) == 2 + len(changes.get("network.interface_endpoints", ()))
    filters = [{"Name": "tag:goldfleet:stack", "Values": ["local"]}]
    assert len(stage.client("ec2").describe_subnets(Filters=filters)["Subnets"]) == 3 * zones

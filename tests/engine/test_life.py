"""The life of each stack on the real engine: seen, made, left alone, changed, destroyed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.inventory import inventory
from tests.engine.world import Change, Touched, World

pytestmark = pytest.mark.engine

READS = ("Describe", "Get", "List", "Head")
UNPROTECTED = {"balancer.deletion_protection": False, "database.deletion_protection": False}


def assert_preview_makes_nothing(world: World) -> None:
    world.requests()
    assert set(world.touched().values()) == {"create"}
    actions = {request["action"] for request in world.requests()}
    assert actions
    assert {action for action in actions if not action.startswith(READS)} == set()


def assert_unchanged(world: World, changes: Change | None = None) -> None:
    world.requests()
    seen = Touched()
    world.engine(changes).up(seen.on_event)
    assert seen.operations == {}
    assert seen.counts["same"] > 100
    assert {request["action"] for request in world.requests() if not request["action"].startswith(READS)} == set()


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_a_stack_is_made_left_alone_and_destroyed(world: Callable[..., World], stack: str) -> None:
    """A running stack owns something of every kind, and a destroyed one leaves its image and final snapshots."""
    stage = world(stack)
    before = inventory(stage)
    assert_preview_makes_nothing(stage)
    stage.engine().up()
    made = inventory(stage)
    assert [kind for kind in made if not made[kind] - before[kind]] == []
    assert_unchanged(stage)
    stage.engine(UNPROTECTED).up()
    stage.engine(UNPROTECTED).destroy()
    assert inventory(stage) == before
    images = stage.client("ec2").describe_images(ImageIds=[stage.base["image.release"]])["Images"]
    assert [image["State"] for image in images] == ["available"]


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
    for changes in MATRIX:
        stage.engine(changes).up()
        zones, replicas = len(changes["network.zones"]), changes["database.replicas"]
        there = inventory(stage)
        assert len([key for key in there["database"] if "replica" in key]) == replicas
        assert len(there["NAT gateway"]) == {"per_zone": zones, "single": 1, "none": 0}[changes["network.nat"]]
        assert len(there["endpoint"]) == 2 + len(changes.get("network.interface_endpoints", ()))
        subnets = stage.client("ec2").describe_subnets(Filters=[{"Name": "tag:goldfleet:stack", "Values": ["local"]}])
        assert len(subnets["Subnets"]) == 3 * zones
        assert_unchanged(stage, changes)

"""What is true of any stack's life, as AWS tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.engine.inventory import inventory
from tests.engine.world import Change, Touched, World

READS = ("Describe", "Get", "List", "Head")


def assert_preview_makes_nothing(world: World) -> None:
    """A preview of a stack that does not exist yet only reads."""
    world.requests()
    assert set(world.touched().values()) == {"create"}
    assert _actions(world)


def assert_unchanged(world: World, changes: Change | None = None) -> None:
    """Another `up` touches no resource and writes nothing."""
    world.requests()
    seen = Touched()
    world.engine(changes).up(seen.on_event)
    assert seen.operations == {}
    assert seen.counts["same"] > 100
    _actions(world)


def _actions(world: World) -> set[str]:
    actions = {request["action"] for request in world.requests()}
    assert {action for action in actions if not action.startswith(READS)} == set()
    return actions


@contextmanager
def life(world: World) -> Iterator[None]:
    """Makes a stack; inside it owns something of every kind, and nothing of it is left where this ends but its image.

    The test inside destroys it.
    """
    before = inventory(world)
    assert_preview_makes_nothing(world)
    world.engine().up()
    made = inventory(world)
    assert [kind for kind in made if not made[kind] - before[kind]] == []
    yield
    assert inventory(world) == before
    images = world.client("ec2").describe_images(ImageIds=[world.base["image.release"]])["Images"]
    assert [image["State"] for image in images] == ["available"]

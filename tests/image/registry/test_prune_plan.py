"""What goes and why the rest stays, decided from what there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goldfleet.errors import ReleaseError
from image.registry.inventory import Group, Instance, Inventory, OwnImage, OwnSnapshot, Template
from image.registry.prune_plan import plan
from image.registry.rollback_target import Version, refused_versions, rollback_target

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
OLD = NOW - timedelta(days=30)
LETTERS = "abcdef"


def _image(letter: str) -> OwnImage:
    return OwnImage(
        f"ami-{letter}", letter * 64, f"2026-01-0{LETTERS.index(letter) + 1}", ("snap-os", f"snap-{letter}")
    )


VERSIONS = tuple(Version(number, f"ami-{letter}") for number, letter in enumerate("abccde", 1))
TEMPLATE = Template("lt-1", "clone", True, (*VERSIONS[:5], replace(VERSIONS[5], default=True)))
IMAGES = tuple(_image(letter) for letter in LETTERS)
SNAPSHOTS = tuple(OwnSnapshot(f"snap-{name}", name, "completed", OLD) for name in ("os", *LETTERS))
INVENTORY = Inventory((TEMPLATE,), (Group("fleet", "lt-1", 5, False),), (), IMAGES, SNAPSHOTS, {})


def _gone(inventory: Inventory, keep: int = 1, settings: dict[str, str] | None = None) -> list[str]:
    return [entry.id for entry in plan(inventory, keep, settings or {}, NOW) if entry.goes]


def _reasons(inventory: Inventory, entry_id: str, settings: dict[str, str] | None = None) -> tuple[str, ...]:
    return next(entry.reasons for entry in plan(inventory, 1, settings or {}, NOW) if entry.id == entry_id)


def test_versions_go_first_then_their_images_then_the_snapshots_behind_them() -> None:
    assert _gone(INVENTORY) == ["lt-1/1", "lt-1/2", "lt-1/3", "ami-a", "ami-b", "snap-a", "snap-b"]


def test_each_thing_that_stays_says_why() -> None:
    assert _reasons(INVENTORY, "lt-1/4") == ("rollback target",)
    assert _reasons(INVENTORY, "lt-1/5") == ("fleet launches it",)
    assert _reasons(INVENTORY, "lt-1/6") == ("default version", "one of the newest 1")
    assert _reasons(INVENTORY, "ami-c") == ("clone version 4",)
    assert _reasons(INVENTORY, "ami-f") == ("one of the newest 1",)
    assert _reasons(INVENTORY, "snap-c") == ("behind ami-c",)
    assert _reasons(INVENTORY, "snap-os")[0].startswith("behind ami-")


def test_what_an_instance_was_launched_from_stays() -> None:
    instances = (Instance("i-1", "ami-b", "lt-1", "2"), Instance("i-2", "ami-b", "lt-1", "2"))
    assert _gone(replace(INVENTORY, instances=instances)) == ["lt-1/1", "lt-1/3", "ami-a", "snap-a"]
    assert _reasons(replace(INVENTORY, instances=instances), "ami-b") == ("2 instances run from it", "clone version 2")
    assert _reasons(replace(INVENTORY, instances=instances[:1]), "lt-1/2") == ("1 instance launched from it",)


def test_an_image_that_somebody_runs_without_our_template_stays() -> None:
    by_hand = (Instance("i-1", "ami-a", "", ""),)
    assert "ami-a" not in _gone(replace(INVENTORY, instances=by_hand))
    assert "lt-1/1" in _gone(replace(INVENTORY, instances=by_hand))


def test_a_template_that_is_not_of_the_stack_is_left_alone_and_counts() -> None:
    other = Template("lt-2", "other", False, (Version(1, "ami-a"), Version(2, "ami-x", default=True)))
    gone = _gone(replace(INVENTORY, templates=(TEMPLATE, other)))
    assert "lt-1/1" in gone
    assert not {"ami-a", "snap-a", "lt-2/1"} & set(gone)


def test_what_any_stack_pins_stays() -> None:
    settings = {"prod": "a" * 64, "dev": "ami-b", "local": "working-tree"}
    assert not {"ami-a", "ami-b"} & set(_gone(INVENTORY, settings=settings))
    assert _reasons(INVENTORY, "ami-a", settings) == ("setting of stack prod",)


def test_the_newest_stay() -> None:
    assert _gone(INVENTORY, keep=4) == ["lt-1/1", "lt-1/2", "ami-a", "ami-b", "snap-a", "snap-b"]
    assert _gone(INVENTORY, keep=6) == []


def test_a_snapshot_that_another_projects_image_uses_stays() -> None:
    assert "snap-a" not in _gone(replace(INVENTORY, foreign={"snap-a": "ami-x"}))
    assert _reasons(replace(INVENTORY, foreign={"snap-a": "ami-x"}), "snap-a") == ("behind ami-x",)


@pytest.mark.parametrize(
    ("state", "age", "goes"),
    [
        ("pending", timedelta(days=1), False),
        ("error", timedelta(), True),
        ("completed", timedelta(minutes=59), False),
        ("completed", timedelta(minutes=60), True),
    ],
)
def test_a_snapshot_without_an_image_goes_once_no_registration_can_be_waiting_for_it(
    state: str, age: timedelta, goes: bool
) -> None:
    stray = OwnSnapshot("snap-z", "z", state, NOW - age)
    assert ("snap-z" in _gone(replace(INVENTORY, snapshots=(*SNAPSHOTS, stray)))) == goes


def test_nothing_goes_while_a_rollout_is_under_way() -> None:
    with pytest.raises(ReleaseError, match="fleet: an instance refresh is under way; run this again when"):
        plan(replace(INVENTORY, groups=(Group("fleet", "lt-1", 5, True),)), 1, {}, NOW)


def test_at_least_one_is_kept() -> None:
    with pytest.raises(ReleaseError, match="keep at least 1"):
        plan(INVENTORY, 0, {}, NOW)


@pytest.mark.parametrize(
    ("images", "current", "target"),
    [
        ("a", 1, None),
        ("aa", 2, None),
        ("ab", 2, 1),
        ("abb", 3, 1),  # a change of settings in between
        ("aba", 3, 2),  # after a rollback
        ("abc", 2, 1),  # the third has failed, or has not begun
        ("ab", 1, None),
        ("ab", 9, 2),  # the current one is gone
    ],
)
def test_the_rollback_target_is_the_newest_version_before_with_another_image(
    images: str, current: int, target: int | None
) -> None:
    found = rollback_target(versions(images), current, ())
    assert (found.number if found else None) == target


def test_what_a_rollout_went_back_from_is_no_rollback_target() -> None:
    refused = refused_versions([refresh("Successful", 3), refresh("RollbackSuccessful", 2)])
    assert rollback_target(versions("abc"), 3, refused) == Version(1, "a")
    mended = refused_versions([refresh("Cancelled", 2), refresh("Successful", 3), refresh("Successful", 2)])
    assert rollback_target(versions("abc"), 3, mended) == Version(2, "b")


def versions(images: str) -> list[Version]:
    return [Version(number, image) for number, image in enumerate(images, 1)]


def refresh(status: str, version: int) -> dict[str, Any]:
    return {"Status": status, "DesiredConfiguration": {"LaunchTemplate": {"Version": str(version)}}}

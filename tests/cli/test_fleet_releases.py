"""Which release runs, which one ran before, which one was refused: from versions and the newest refresh."""

from __future__ import annotations

from typing import Any

import pytest

from goldfleet.cli.fleet_releases import Images, around
from image.registry.rollback_target import Version

VERSIONS = [Version(1, "ami-a"), Version(2, "ami-b"), Version(3, "ami-b"), Version(4, "ami-c")]


def refresh(status: str, version: int) -> dict[str, Any]:
    return {"Status": status, "DesiredConfiguration": {"LaunchTemplate": {"Version": str(version)}}}


def test_after_a_good_rollout_the_way_back_is_the_image_before() -> None:
    assert around(VERSIONS, 3, [refresh("Successful", 3)]) == Images("ami-b", "ami-a", "")
    assert around(VERSIONS, 1, []) == Images("ami-a", "", "")


def test_what_was_rolled_back_is_refused_and_is_never_a_way_back() -> None:
    assert around(VERSIONS, 3, [refresh("RollbackSuccessful", 4)]) == Images("ami-b", "ami-a", "ami-c")


def test_a_release_that_was_refused_once_is_no_way_back_from_later_ones() -> None:
    history = [refresh("Successful", 4), refresh("RollbackSuccessful", 3), refresh("Cancelled", 2)]
    assert around(VERSIONS, 4, history).previous == "ami-a"
    assert around(VERSIONS, 4, [*history, refresh("Successful", 2)]).previous == "ami-b"


def test_a_change_of_settings_that_was_rolled_back_refuses_no_image() -> None:
    assert around(VERSIONS, 2, [refresh("RollbackSuccessful", 3)]).refused == ""


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Baking"])
def test_out_of_a_rollout_under_way_the_way_back_is_what_the_group_has(status: str) -> None:
    assert around(VERSIONS, 3, [refresh(status, 4)]) == Images("ami-b", "ami-b", "")


@pytest.mark.parametrize("status", ["Cancelled", "Failed"])
def test_a_rollout_that_was_cut_off_is_no_verdict(status: str) -> None:
    assert around(VERSIONS, 3, [refresh(status, 4)]).refused == ""

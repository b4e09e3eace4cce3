"""Only what changed is reported, and what is gone is reported as gone."""

from __future__ import annotations

from local.plane.reports import changed_targets

HEALTHY = {"state": "healthy"}


def test_only_changes() -> None:
    assert changed_targets({"arn": {"i-1": HEALTHY}}, {"arn": {"i-1": HEALTHY}}) == {}
    assert changed_targets({}, {"arn": {"i-1": HEALTHY}}) == {"arn": {"i-1": HEALTHY}}


def test_a_target_that_left_is_unused() -> None:
    assert changed_targets({"arn": {"i-1": HEALTHY}}, {})["arn"]["i-1"]["state"] == "unused"

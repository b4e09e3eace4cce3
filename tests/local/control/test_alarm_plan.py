"""What an alarm makes of its datapoints: AWS's own tables for missing data, and the words of its reasons."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.control.alarm_plan import ALARM, INSUFFICIENT_DATA, OK, AlarmRule, Datapoint, evaluate

NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
KEPT = "the state so far"
MISSING = ("missing", "ignore", "breaching", "notBreaching")


def points(drawn: str) -> list[Datapoint]:
    """`X` breaches, `0` does not, `-` is missing; oldest first."""
    values = {"X": 9.0, "0": 1.0, "-": None}
    return [Datapoint(NOON, values[each]) for each in drawn.replace(" ", "")]


@pytest.mark.parametrize(
    ("drawn", "to_alarm", "states"),
    [
        ("0 - X - X", 3, (OK, OK, OK, OK)),
        ("- - - - 0", 3, (OK, OK, OK, OK)),
        ("- - - - -", 3, (INSUFFICIENT_DATA, KEPT, ALARM, OK)),
        ("0 X X - X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", 3, (ALARM, KEPT, ALARM, OK)),
        ("0 - X - X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", 2, (OK, OK, ALARM, OK)),
        ("- - - - 0", 2, (OK, OK, ALARM, OK)),
        ("- - - X -", 2, (ALARM, KEPT, ALARM, OK)),
        ("- - - - X", 3, (KEPT, KEPT, ALARM, OK)),
    ],
)
def test_missing_data_is_treated_as_in_the_tables_of_aws(drawn: str, to_alarm: int, states: tuple[str, ...]) -> None:
    for missing, state in zip(MISSING, states, strict=True):
        rule = AlarmRule("GreaterThanThreshold", 5, evaluated=3, to_alarm=to_alarm, missing=missing)
        assert evaluate(rule, points(drawn), KEPT).state == state, missing


def test_reasons_are_worded_as_cloudwatch_words_them() -> None:
    rule = AlarmRule("GreaterThanThreshold", 5, evaluated=3, to_alarm=2, missing="missing")
    assert evaluate(rule, points("00X0X"), OK).reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (02/01/26 12:00:00), 9.0 (02/01/26 12:00:00)] were "
        "greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert evaluate(rule, points("X00X0"), ALARM).reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [1.0 (02/01/26 12:00:00), 1.0 (02/01/26 12:00:00)] were "
        "not greater than the threshold (5.0) (minimum 2 datapoints for ALARM -> OK transition)."
    )
    assert evaluate(rule, points("-----"), OK).reason == "Insufficient Data: 3 datapoints were unknown."
    quiet = AlarmRule("LessThanThreshold", 5, evaluated=1, to_alarm=1, missing="notBreaching")
    assert evaluate(quiet, points("---"), ALARM).reason == (
        "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
        "[NonBreaching]."
    )


@given(st.text("X0-", min_size=7, max_size=7), st.integers(1, 5), st.sampled_from(MISSING))
def test_a_complete_row_needs_no_treatment(drawn: str, to_alarm: int, missing: str) -> None:
    rule = AlarmRule("GreaterThanOrEqualToThreshold", 9, evaluated=5, to_alarm=to_alarm, missing=missing)
    there = drawn.replace("-", "")[-5:]
    state = evaluate(rule, points(drawn), OK).state
    if len(there) == 5:
        assert (state == ALARM) is (there.count("X") >= to_alarm)
    if there.count("X") >= to_alarm:
        assert state == ALARM

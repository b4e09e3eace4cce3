from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.state.position import Position

positions = st.builds(Position, st.integers(0, 63), st.integers(1, 2**32 - 1), st.integers(0, 2**64 - 1))


@given(positions)
def test_a_position_survives_as_text(position: Position) -> None:
    assert Position.from_text(position.to_text()) == position


@given(positions, positions)
def test_texts_of_a_shard_compare_as_positions_do(one: Position, two: Position) -> None:
    two = Position(one.shard, two.timeline, two.lsn)
    assert (one.to_text() < two.to_text()) == (one.reached < two.reached)


@pytest.mark.parametrize("text", ["", "1:2", "a:b:c", "1:2:3:4"])
def test_other_text_is_no_position(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  int() and unpacking say it in their own words
        Position.from_text(text)


@pytest.mark.parametrize(
    ("reached", "has_it"),
    [
        ((2, 100), True),
        ((2, 101), True),
        ((2, 99), False),
        ((1, 2**60), False),  # what the main of before wrote after the promotion is another history
        ((3, 100), True),
        ((3, 50), False),  # receives the new timeline, and replays what lies before the promotion
    ],
)
def test_who_has_replayed_a_position_is_as_far_in_timeline_and_place(reached: tuple[int, int], has_it: bool) -> None:
    assert Position(0, 2, 100).replayed_by(reached) is has_it

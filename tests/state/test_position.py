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

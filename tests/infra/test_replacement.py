"""How many clones there may be while some are replaced."""

from __future__ import annotations

import pytest

from infra.replacement import most_clones


@pytest.mark.parametrize(("maximum", "most"), [(1, 2), (6, 7), (10, 11), (11, 13), (500, 550)])
def test_a_tenth_more_rounded_up(maximum: int, most: int) -> None:
    assert most_clones(maximum) == most

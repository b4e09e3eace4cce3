from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.contract.names import DEFAULT_LENGTH, LOAD_BALANCER_LENGTH, Names, fit
from goldfleet.errors import SettingsError

words = st.from_regex(r"[a-z][a-z0-9-]{0,60}", fullmatch=True)


@given(words, words, words, st.integers(12, DEFAULT_LENGTH))
def test_a_name_always_fits(project: str, stack: str, part: str, length: int) -> None:
    assert len(Names(project, stack).of(part, length=length)) <= length


@given(st.lists(words, min_size=2, max_size=20, unique=True))
def test_two_long_names_never_meet(names: list[str]) -> None:
    assert len({fit(name, LOAD_BALANCER_LENGTH) for name in names}) == len(names)


def test_a_name_that_fits_is_left_alone() -> None:
    assert Names("goldfleet", "dev").of("balancer", length=LOAD_BALANCER_LENGTH) == "goldfleet-dev-balancer"


def test_a_length_without_room_for_a_digest_is_refused() -> None:
    with pytest.raises(SettingsError, match="cannot be cut"):
        fit("a-very-long-name", 8)

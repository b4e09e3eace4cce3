from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.contract.stores import Endpoint
from goldfleet.state.position import Position
from goldfleet.state.replicas import MainHistory, read_list


def test_lag_is_the_time_since_the_main_was_first_further() -> None:
    main = MainHistory()
    assert main.lag(0.0, (1, 0)) == 0
    main.note(1.0, (1, 100))
    main.note(2.0, (1, 100))
    main.note(3.0, (1, 200))
    assert main.lag(5.0, (1, 200)) == 0
    assert main.lag(5.0, (1, 150)) == 2.0
    assert main.lag(5.0, (1, 99)) == 4.0


def test_a_replica_on_an_older_timeline_is_behind_whatever_its_lsn() -> None:
    main = MainHistory()
    main.note(1.0, (2, 10))
    assert main.lag(5.0, (1, 2**60)) == 4.0
    assert main.lag(5.0, (2, 10)) == 0


def test_a_position_beyond_a_promotion_is_dropped_once_the_new_main_is_seen() -> None:
    main, lost = MainHistory(), Position(0, 1, 900)
    main.note(1.0, (1, 900))
    assert main.surviving(lost) == lost
    main.note(2.0, (2, 500))
    main.note(3.0, (2, 600))
    assert main.surviving(lost) == Position(0, 2, 500)
    assert main.surviving(Position(0, 1, 300)) == Position(0, 2, 300)
    assert main.surviving(Position(0, 2, 700)) == Position(0, 2, 700)


@given(written=st.integers(0, 99), fork=st.integers(0, 99), seen_after=st.integers(0, 99), replayed=st.integers(0, 99))
def test_who_may_answer_after_a_promotion_has_all_that_is_left(
    written: int, fork: int, seen_after: int, replayed: int
) -> None:
    main = MainHistory()
    main.note(1.0, (2, fork + seen_after))
    if main.surviving(Position(0, 1, written)).replayed_by((2, replayed)):
        assert replayed >= min(written, fork)
    assert not main.surviving(Position(0, 1, written)).replayed_by((1, replayed))


def test_history_does_not_grow_without_end() -> None:
    main = MainHistory()
    for second in range(100_000):
        main.note(float(second), (1, second))
    assert len(main._seen) < 100


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '["no port"]', '["a:b"]', '{"a": 1}', "null"])
def test_a_list_that_cannot_be_read_changes_nothing(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "replicas.json"
    if text is not None:
        file.write_text(text)
    assert read_list(file) is None


def test_a_list_names_addresses_and_ports(tmp_path: Path) -> None:
    file = tmp_path / "replicas.json"
    file.write_text('["127.0.0.1:5432", "db.example.org:5433", "[::1]:1"]')
    assert read_list(file) == [Endpoint("127.0.0.1", 5432), Endpoint("db.example.org", 5433), Endpoint("::1", 1)]
    file.write_text("[]")
    assert read_list(file) == []

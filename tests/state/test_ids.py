from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldfleet.state.ids import EPOCH, LOGICAL_SHARDS, Ids, logical_shard_of, random_logical_shard, shard_of

logical_shards = st.integers(0, LOGICAL_SHARDS - 1)


@given(logical_shards, st.integers(0, 2**40 - 1))
def test_an_id_carries_its_logical_shard_and_fits_a_bigint(logical_shard: int, milliseconds: int) -> None:
    made = Ids(clock=lambda: EPOCH + milliseconds).new(logical_shard)
    assert logical_shard_of(made) == logical_shard
    assert abs((made >> 23) - milliseconds) <= 1
    assert 0 < made < 2**63


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=200), logical_shards)
def test_ids_grow_whatever_the_clock_does(steps: list[int], logical_shard: int) -> None:
    times = iter(EPOCH + 10_000 + sum(steps[:n]) for n in range(len(steps)))
    ids = Ids(clock=lambda: next(times))
    made = [ids.new(logical_shard) for _ in steps]
    assert made == sorted(set(made))


def test_a_millisecond_that_is_full_runs_over_into_the_next() -> None:
    ids = Ids(clock=lambda: EPOCH + 7)
    made = [ids.new(3) for _ in range(5000)]
    assert len(set(made)) == 5000
    assert {logical_shard_of(each) for each in made} == {3}


def test_threads_never_get_the_same_id() -> None:
    ids = Ids()
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: ids.new(1), range(4000)))
    assert len(set(made)) == 4000


@pytest.mark.parametrize("wrong", [-1, LOGICAL_SHARDS])
def test_a_logical_shard_that_does_not_exist_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="is not between"):
        Ids().new(wrong)


def test_users_spread_over_the_logical_shards() -> None:
    drawn = [random_logical_shard() for _ in range(2000)]
    assert all(0 <= each < LOGICAL_SHARDS for each in drawn)
    assert len(set(drawn)) > 1500


@given(st.integers(1, 64))
def test_every_shard_holds_an_equal_range_of_logical_shards(shards: int) -> None:
    homes = [shard_of(logical, shards) for logical in range(LOGICAL_SHARDS)]
    assert homes == sorted(homes)
    sizes = [homes.count(shard) for shard in range(shards)]
    assert max(sizes) - min(sizes) <= 1

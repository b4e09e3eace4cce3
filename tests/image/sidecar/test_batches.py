"""Batches stay within what PutLogEvents takes, and lose no line."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from image.sidecar.batches import EVENT_BYTES, cut, events

NOW = 1_800_000_000_000


@given(st.lists(st.binary(min_size=1, max_size=200).filter(lambda line: line.strip() and b"\n" not in line)))
def test_every_line_comes_once_and_in_order(lines: list[bytes]) -> None:
    text = b"".join(line + b"\n" for line in lines) + b"unfinished"
    found = []
    while True:
        batch, used = cut(text)
        if not used:
            break
        found += batch
        text = text[used:]
    assert found == lines
    assert text == b"unfinished"


@given(st.lists(st.sampled_from([b"x", b"\xff" * EVENT_BYTES, b"y" * 3 * EVENT_BYTES, b""]), max_size=60))
def test_a_batch_is_within_the_limits(lines: list[bytes]) -> None:
    batch, used = cut(b"\n".join(lines) + b"\n")
    made = events(batch, NOW)
    assert sum(len(str(event["message"]).encode()) + 26 for event in made) <= 1_048_576
    assert used
    assert all(event["message"] for event in made)


def test_ten_thousand_events_are_the_most() -> None:
    batch, used = cut(b"x\n" * 30_000)
    assert len(batch) < 10_000
    assert used == 2 * len(batch)


def test_a_line_that_never_ends_is_cut() -> None:
    batch, used = cut(b"z" * (EVENT_BYTES + 1))
    assert (len(batch[0]), used) == (EVENT_BYTES, EVENT_BYTES)


def test_events_are_in_the_order_of_the_lines_own_times() -> None:
    lines = [json.dumps({"time": f"2027-01-15T08:00:0{n}+00:00"}).encode() for n in (0, 2, 1)]
    now = 1_800_000_010_000
    times = [int(event["timestamp"]) - now for event in events([*lines, b"plain", b"{broken"], now)]
    assert times == [-10_000, -9_000, -8_000, 0, 0]


def test_a_time_that_cannot_be_true_is_not_believed() -> None:
    lines = [json.dumps({"time": time}).encode() for time in ("1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z", 5, "x")]
    assert {event["timestamp"] for event in events(lines, NOW)} == {NOW}

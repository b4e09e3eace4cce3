"""Events: whole lines from several writers, a bounded file, a reader that follows."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local.events import Events

WRITER = """
import sys
from pathlib import Path
from local.events import Events
events = Events(Path(sys.argv[1]))
for number in range(200):
    events.record("test", sys.argv[2], "x" * 500, number=number)
"""


@pytest.fixture
def events(tmp_path: Path) -> Events:
    return Events(tmp_path / "events.jsonl")


def test_nothing_was_recorded_yet(events: Events) -> None:
    assert events.read() == []


def test_an_event_is_read_as_recorded(events: Events) -> None:
    events.record("started", "rds-main", "it was started", pid=7)
    (event,) = events.read()
    assert event.pop("time") > 1.7e9
    assert event == {"kind": "started", "subject": "rds-main", "text": "it was started", "pid": 7}


def test_several_writers_never_mix_their_lines(events: Events) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(events.path), name], cwd=Path(__file__).parents[2])
        for name in "ab"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    for name in "ab":
        assert [event["number"] for event in events.read() if event["subject"] == name] == list(range(200))
    times = [event["time"] for event in events.read()]
    assert times == sorted(times)


def test_the_file_is_bounded_and_keeps_the_news(tmp_path: Path) -> None:
    events = Events(tmp_path / "events.jsonl", size_limit=10_000)
    for number in range(500):
        events.record("test", "x", "y" * 50, number=number)
        assert events.path.stat().st_size <= 10_000
    numbers = [event["number"] for event in events.read()]
    assert numbers == list(range(numbers[0], 500))
    assert len(numbers) > 20


def test_a_text_that_is_too_long_is_cut(events: Events) -> None:
    events.record("failed", "x", "y" * 100_000)
    (event,) = events.read()
    assert 100 < len(event["text"]) < 10_000


def test_a_reader_follows_across_the_bound_and_sees_each_event_once(tmp_path: Path) -> None:
    events = Events(tmp_path / "events.jsonl", size_limit=20_000)
    seen: list[int] = []
    done = threading.Event()

    def follow() -> None:
        seen.extend(event["number"] for event in events.follow(done.is_set))

    reader = threading.Thread(target=follow)
    reader.start()
    for number in range(300):
        events.record("test", "x", "y" * 50, number=number)
    done.set()
    reader.join(10)
    assert seen[-1] == 299
    assert seen == sorted(set(seen))

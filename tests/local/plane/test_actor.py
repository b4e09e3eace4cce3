"""Tools that run to their end: what they say, how long they may take, and that nothing of them is left."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from goldfleet.errors import LocalCloudError
from local import processes
from local.accounts import MYSELF
from local.plane.actor import OneShot, clean_environment
from local.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    return folder


def tool(folder: RunFolder, seconds: float = 20) -> OneShot:
    return OneShot(folder, MYSELF, clean_environment(), seconds)


def test_it_answers_what_the_tool_wrote(folder: RunFolder) -> None:
    assert tool(folder).run(("cat",), "some text") == "some text"


def test_the_last_complaint_is_in_the_error(folder: RunFolder) -> None:
    with pytest.raises(LocalCloudError, match="sh: failed: the reason"):
        tool(folder).run(("sh", "-c", "echo first >&2; echo the reason >&2; exit 3"))


def test_it_may_not_take_for_ever(folder: RunFolder) -> None:
    with pytest.raises(LocalCloudError, match="sleep: not done after"):
        tool(folder, 0.1).run(("sleep", "60"))
    assert processes.of_run(folder) == []


def test_a_tool_of_a_dead_supervisor_is_found(folder: RunFolder) -> None:
    def run() -> None:
        with pytest.raises(LocalCloudError):
            tool(folder).run(("sleep", "60"))

    thread = threading.Thread(target=run)
    thread.start()
    assert processes.wait_until(lambda: len(processes.of_run(folder)) == 1, 10)
    processes.end_all(folder, grace=5)
    thread.join(10)
    assert not thread.is_alive()

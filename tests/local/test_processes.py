"""Processes are recorded, found again and ended; a reused process id is never taken for ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.processes import Process, Program
from local.run_folder import RunFolder

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[RunFolder]:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    yield folder
    processes.end_all(folder, grace=5)
    while CHILDREN:
        CHILDREN.pop().wait(5)


CHILDREN: list[subprocess.Popen[bytes]] = []


def start(folder: RunFolder, name: str, code: str = SLEEP) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-c", code)
    environment = {"PATH": os.defpath, "MARK": "1"}
    program = Program(name, command, folder.root, folder.root / f"{name}.log", environment)
    CHILDREN.append(processes.spawn(folder, program))
    return CHILDREN[-1]


def test_a_started_process_is_on_record_with_its_clean_environment(folder: RunFolder) -> None:
    child = start(folder, "one")
    (found,) = processes.recorded(folder)
    assert (found.name, found.pid, found.alive) == ("one", child.pid, True)
    assert found.command[0] == sys.executable
    processes.wait_until(lambda: b"MARK" in Path(f"/proc/{child.pid}/environ").read_bytes(), 5)
    assert set(Path(f"/proc/{child.pid}/environ").read_bytes().split(b"\0")) == {
        b"MARK=1",
        f"PATH={os.defpath}".encode(),
        b"",
    }
    assert os.getsid(child.pid) == child.pid


def test_a_reused_process_id_is_not_ours(folder: RunFolder) -> None:
    stranger = Process("old", os.getppid(), 1, ("x",))
    (folder.processes / "old.json").write_text(
        json.dumps({"name": "old", "pid": os.getppid(), "started": 1, "command": []})
    )
    assert not stranger.alive
    assert processes.recorded(folder) == []
    processes.end([stranger], signal.SIGKILL, grace=0.1)  # and so nothing happens to it
    assert processes.start_time(os.getppid()) is not None


def test_a_zombie_is_not_alive(folder: RunFolder) -> None:
    child = start(folder, "brief", "pass")
    assert processes.wait_until(lambda: processes.start_time(child.pid) is None, 5)


def test_a_process_whose_first_thread_is_gone_is_alive(folder: RunFolder) -> None:
    code = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); "
    child = start(folder, "headless", code + "ctypes.CDLL(None).pthread_exit(None)")
    state = Path(f"/proc/{child.pid}/status")
    assert processes.wait_until(lambda: "State:\tZ" in state.read_text(), 10)
    (found,) = processes.recorded(folder)
    assert found.alive
    child.kill()
    assert processes.wait_until(lambda: not found.alive, 5)


def test_an_unrecorded_process_is_found_by_its_output_and_so_are_its_children(folder: RunFolder) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"
    child = start(folder, "parent", code)
    processes.forget(folder, "parent")
    assert processes.wait_until(lambda: len(processes.of_run(folder)) == 2, 10)
    ended = processes.end_all(folder, grace=5)
    assert child.pid in {process.pid for process in ended}
    assert processes.of_run(folder) == []


def test_one_that_does_not_listen_is_killed(folder: RunFolder) -> None:
    child = start(folder, "stubborn", STUBBORN)
    assert processes.wait_until(lambda: "up" in (folder.root / "stubborn.log").read_text(), 10)
    processes.end_all(folder, grace=0.5)
    assert child.wait() == -signal.SIGKILL
    assert list(folder.processes.iterdir()) == []


def test_who_only_reads_or_stands_in_the_folder_is_left_alone(folder: RunFolder) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", SLEEP], cwd=folder.root, stdout=subprocess.DEVNULL)
    try:
        assert processes.of_run(folder) == []
    finally:
        bystander.kill()
        bystander.wait()


def test_a_damaged_record_is_passed_over(folder: RunFolder) -> None:
    (folder.processes / "bad.json").write_text("{")
    assert processes.recorded(folder) == []

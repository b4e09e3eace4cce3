"""The process: it says when it is ready, stops when told, and ends with its parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.network_number import choose_network, control_port_is_free
from tests.local.control.running import START, Control, wait_until


def _command(network: int, ready: Path) -> list[str]:
    command = [sys.executable, "-m", "local.control", "--network", str(network), "--no-data-plane"]
    return [*command, "--ready-file", str(ready), "--exit-with-parent"]


def test_it_answers_where_the_ready_file_says(control: Control) -> None:
    assert control.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_a_signal_stops_it_at_once_even_while_somebody_waits_for_a_change(tmp_path: Path) -> None:
    network, ready = choose_network(tmp_path), tmp_path / "ready.json"
    process = subprocess.Popen(_command(network, ready))
    wait_until(ready.exists, START)
    endpoint = json.loads(ready.read_text())["endpoint"]
    waiter = subprocess.Popen(["curl", "-s", f"{endpoint}/_local/changes?after=1000&timeout=60"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    waiter.wait(10)
    assert control_port_is_free(network)


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    network, ready = choose_network(tmp_path), tmp_path / "ready.json"
    script = f"import subprocess, time; subprocess.Popen({_command(network, ready)!r}); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", script])
    wait_until(ready.exists, START)
    parent.kill()
    parent.wait()
    pid = json.loads(ready.read_text())["pid"]
    wait_until(lambda: not _runs(pid))


@pytest.mark.parametrize("network", ["11", "252", "abc"])
def test_a_wrong_network_number_is_refused(network: str) -> None:
    command = [sys.executable, "-m", "local.control", "--network", network, "--no-data-plane"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START, check=False)
    assert done.returncode == 2
    assert "--network" in done.stderr


def test_a_taken_port_is_said_in_one_sentence(control: Control, tmp_path: Path) -> None:
    command = _command(control.network, tmp_path / "ready.json")
    done = subprocess.run(command, capture_output=True, text=True, timeout=START, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(control.endpoint)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

"""A plugin as a process: it outlives nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "NOTES": str(tmp_path), "PYTHONPATH": str(CHECKOUT)}


def test_a_plugin_ends_with_a_killed_parent(plugin: Path, environment: dict[str, str]) -> None:
    shell = f'"{plugin}/pulumi-resource-notes" & echo $!; wait'
    with subprocess.Popen(["/bin/sh", "-c", shell], stdout=subprocess.PIPE, env=environment, text=True) as parent:
        assert parent.stdout is not None
        pid, port = int(parent.stdout.readline()), int(parent.stdout.readline())
        assert port > 0
        assert alive(pid)
        parent.kill()
    assert ends(pid)


def test_an_interrupt_ends_a_plugin(plugin: Path, environment: dict[str, str]) -> None:
    command = [str(plugin / "pulumi-resource-notes")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_a_plugin_reads_the_protocol_only_and_leaves_the_sdk_usable() -> None:
    program = (
        "import sys, goldfleet.servicer.serve; assert not {'pulumi', 'botocore'} & set(sys.modules);"
        "from goldfleet.servicer import protocol; from pulumi.runtime.proto import provider_pb2;"
        "import pulumi.automation; assert provider_pb2 is protocol.provider"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=CHECKOUT, timeout=60)

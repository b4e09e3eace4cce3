"""One lifetime: the supervisor starts everything and ends everything, however it is ended itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.network_number import choose_network
from tests.local.plane.cloud import Cloud, wait_for

pytestmark = pytest.mark.fleet


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    cloud = Cloud(tmp_path)
    elasticache = cloud.client("elasticache")
    elasticache.create_replication_group(
        ReplicationGroupId="cache", ReplicationGroupDescription="x", Engine="valkey", NumCacheClusters=1,
        CacheNodeType="cache.t4g.micro",
    )  # fmt: skip
    wait_for(lambda: cloud.happened("started", "elasticache-cache-001"))
    yield cloud
    cloud.close()


def listening(network: int) -> list[str]:
    """Addresses of the network's two loopback ranges that somebody listens on."""
    prefixes = {f"{second:02X}7F" for second in (network, network + 1)}
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return [row[1] for row in rows if row[3] == "0A" and row[1].partition(":")[0][4:8] in prefixes]


def test_run_json_names_who_runs_and_where(cloud: Cloud) -> None:
    run = cloud.folder.read_run()
    assert run is not None
    assert (run.network, run.supervisor) == (cloud.network, cloud.supervisor.pid)
    assert run.started == processes.start_time(cloud.supervisor.pid)
    assert run.endpoint.startswith(f"http://127.{cloud.network + 1}.0.1:")
    assert listening(cloud.network)


def test_everything_listens_on_this_networks_addresses_only(cloud: Cloud) -> None:
    inodes = {
        link.readlink().name.removeprefix("socket:[").rstrip("]")
        for process in processes.of_run(cloud.folder)
        for link in Path(f"/proc/{process.pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    mine = [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]
    assert mine
    assert set(mine) <= set(listening(cloud.network))


def test_sigterm_leaves_no_process_no_port_and_nothing_in_memory(cloud: Cloud) -> None:
    cloud.supervisor.terminate()
    assert cloud.supervisor.wait(30) == 0
    assert processes.of_run(cloud.folder) == []
    assert listening(cloud.network) == []
    assert not cloud.volatile.exists()
    assert cloud.events.read()[-1]["subject"] == "supervisor"


def test_what_a_killed_supervisor_leaves_can_be_found_and_ended(cloud: Cloud) -> None:
    cloud.supervisor.kill()
    cloud.supervisor.wait()
    assert cloud.process("elasticache-cache-001") is not None
    processes.end_all(cloud.folder, grace=5)
    assert processes.of_run(cloud.folder) == []
    assert listening(cloud.network) == []


def test_the_end_of_the_control_plane_ends_the_run(cloud: Cloud) -> None:
    control = cloud.process("control")
    assert control is not None
    os.kill(control.pid, signal.SIGKILL)
    assert cloud.supervisor.wait(30) == 1
    assert cloud.happened("exited", "control")
    assert processes.of_run(cloud.folder) == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(cloud.endpoint, timeout=2)


def test_a_taken_control_address_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    network = choose_network(tmp_path)
    with socket.create_server((f"127.{network + 1}.0.1", 4566)):
        command = [sys.executable, "-m", "local.supervisor", str(tmp_path / "run"), "--network", str(network)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_cannot_live_is_tried_ever_less_often_and_said_to_have_failed(cloud: Cloud) -> None:
    name = "elasticache-cache-001"
    configuration = cloud.folder.stores / name / "users.acl"
    configuration.unlink()
    configuration.mkdir()  # a folder in the file's place: every start fails
    cloud.kill(name)
    wait_for(lambda: cloud.happened("failed", name))
    described = cloud.client("elasticache").describe_replication_groups
    wait_for(lambda: described(ReplicationGroupId="cache")["ReplicationGroups"][0]["Status"] == "create-failed", 60)
    failures = cloud.happened("failed", name)
    assert len(failures) <= 8
    configuration.rmdir()
    wait_for(lambda: cloud.happened("restarted", name), 60)
    wait_for(lambda: described(ReplicationGroupId="cache")["ReplicationGroups"][0]["Status"] == "available")

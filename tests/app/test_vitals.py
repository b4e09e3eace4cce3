"""What a clone needs of its own machine: without it the health check fails, and the log says why."""

from __future__ import annotations

import resource
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app import vitals
from app.connections import CONNECTIONS
from goldfleet.contract import service
from goldfleet.contract.environment import Environment
from local.processes import wait_until
from tests.app.served import Served, serving


@pytest.fixture
def served(environment: Environment, tmp_path: Path) -> Iterator[Served]:
    with serving(environment, tmp_path / "output") as made:
        yield made


def health(served: Served) -> httpx.Response:
    return httpx.get(served.url + service.HEALTH_PATH, timeout=5)


def logged(served: Served, text: str) -> bool:
    """Waits until the app has said it."""
    return wait_until(lambda: any(text in line["message"] for line in served.lines()), 20)


def descriptors(served: Served) -> int:
    return len(list(Path(f"/proc/{served.process.pid}/fd").iterdir()))


def allow(served: Served, descriptors: int) -> None:
    _, hard = resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE, (descriptors, hard))


def test_without_a_file_descriptor_it_is_unhealthy_and_says_so(served: Served) -> None:
    """Somebody holds all that the process may open: it can answer nobody, so its log must tell."""
    allow(served, descriptors(served) + 8)
    host, port = served.url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(socket.create_connection((host, int(port)), 5))
        assert logged(served, "unhealthy: no file descriptor is left, of ")
        with pytest.raises(httpx.TransportError):
            health(served)
    assert logged(served, "healthy again")
    assert health(served).status_code == 200


def test_the_last_file_descriptor_is_not_enough(served: Served) -> None:
    with httpx.Client(base_url=served.url) as client:
        assert client.get(service.HEALTH_PATH).status_code == 200
        allow(served, descriptors(served))
        answer = client.get(service.HEALTH_PATH)
    assert answer.status_code == 503
    assert answer.text.startswith("no file descriptor is left, of ")


@pytest.fixture
def small_tmpfs(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "memory"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=256k", "none", folder)
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"mounting a tmpfs is not allowed here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(("umount", "-l", folder), check=True)


def test_with_a_full_tmpfs_it_is_unhealthy_until_there_is_room(
    environment: Environment, tmp_path: Path, small_tmpfs: Path
) -> None:
    shards = [
        replace(shard, replicas_file=str(shutil.copy(shard.replicas_file, small_tmpfs / f"{number}.json")))
        for number, shard in enumerate(environment.shards)
    ]
    with serving(replace(environment, shards=tuple(shards)), tmp_path / "output") as served:
        assert health(served).status_code == 200
        with pytest.raises(OSError, match="No space left"):
            (small_tmpfs / "filler").write_bytes(bytes(256 * 1024))
        answer = health(served)
        assert (answer.status_code, "is full" in answer.text) == (503, True)
        assert logged(served, f"unhealthy: {small_tmpfs} is full")
        (small_tmpfs / "filler").unlink()
        assert health(served).status_code == 200


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    assert vitals.lacks(tmp_path) == []
    assert vitals.lacks(tmp_path / "gone") == [f"{tmp_path}/gone cannot be looked at: No such file or directory"]


def test_a_process_takes_the_descriptors_that_it_needs(environment: Environment, tmp_path: Path) -> None:
    assert vitals.DESCRIPTORS > CONNECTIONS + 512  # so many connections alone never make it unhealthy
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with serving(environment, tmp_path / "output") as served:
            assert resource.prlimit(served.process.pid, resource.RLIMIT_NOFILE) == (vitals.DESCRIPTORS, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

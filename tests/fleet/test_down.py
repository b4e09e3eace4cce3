"""A second checkout beside the first: interrupted, killed, started again, and gone without a trace."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.addresses import CONTROL_PORT, control_address
from local.run_folder import volatile_folder
from tests.fleet.cloud import Cloud, kill

EDIT = "edited after it was deployed"


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Another checkout, with nothing running."""
    cloud = Cloud.copy(tmp_path_factory.mktemp("second") / "checkout")
    yield cloud
    cloud.do("down")


def up_until(cloud: Cloud, text: str) -> subprocess.Popen[str]:
    """Starts `goldfleet up` and returns when it has printed `text`."""
    process = cloud.start("up")
    assert process.stdout
    assert any(text in line for line in process.stdout), f"it ended without '{text}'"
    return process


def test_an_interrupted_up_and_a_killed_supervisor_are_followed_by_a_good_up(second: Cloud) -> None:
    interrupted = up_until(second, "create ec2/subnet")
    os.killpg(interrupted.pid, signal.SIGINT)
    text, _ = interrupted.communicate(timeout=120)
    assert interrupted.returncode == 130, text
    assert "Traceback" not in text
    second.do("up")
    assert len(second.clones()) == 2
    second.do("down")

    broken = up_until(second, "create ec2/subnet")
    kill(next(process for process in second.processes() if process.pid == second.recorded_run.supervisor))
    text, _ = broken.communicate(timeout=120)
    assert broken.returncode == 1, text
    assert "Traceback" not in text
    second.do("up")
    assert len(second.clones()) == 2


def test_a_killed_command_leaves_a_state_from_which_up_works(second: Cloud) -> None:
    second.do("down")
    killed = up_until(second, "create ec2/subnet")
    killed.kill()
    killed.communicate(timeout=60)
    second.do("up")
    assert len(second.clones()) == 2


def test_what_was_deployed_comes_back_although_the_tree_was_edited(second: Cloud) -> None:
    second.do("deploy")
    pinned = second.view().releases
    second.do("down")
    page = second.folder / "app" / "templates" / "welcome.html"
    page.write_text(page.read_text().replace("{% block content %}", "{% block content %}" + EDIT))
    second.do("up")
    assert second.view().releases == pinned
    assert EDIT not in httpx.get(second.url).text

    second.do("down")
    settings = second.folder / "Pulumi.local.yaml"
    settings.write_text(settings.read_text().replace(pinned[0], "f" * 64))
    refused = second.run("up")
    assert refused.code == 1
    assert "release ffffffffffff is not kept on this machine" in refused.text
    assert not (second.folder / ".local").exists()
    second.do("deploy")
    assert EDIT in httpx.get(second.url).text


def test_down_leaves_nothing_but_caches(cloud: Cloud, second: Cloud) -> None:
    second.do("up")
    network = second.recorded_run.network
    assert network != cloud.recorded_run.network
    assert {httpx.get(one.url).status_code for one in (cloud, second)} == {200}
    assert set(cloud.clones()) & set(second.clones()) == set()

    second.do("down")
    assert second.processes() == []
    assert _listeners(network) == []
    assert not (second.folder / ".local").exists()
    assert not volatile_folder(network).exists()
    assert httpx.get(cloud.url).status_code == 200
    second.do("down")


def _listeners(network: int) -> list[str]:
    """Addresses of both networks of a checkout on which somebody still listens."""
    with socket.socket() as probe:
        assert probe.connect_ex((control_address(network), CONTROL_PORT)) != 0
    found = []
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_ = line.split()
        address = socket.inet_ntoa(bytes.fromhex(local.split(":")[0])[::-1])
        if state == "0A" and address.startswith((f"127.{network}.", f"127.{network + 1}.")):
            found.append(address)
    return found

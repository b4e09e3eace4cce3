"""The sidecar as a process, against CloudWatch Logs and SSM."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import botocore.exceptions
import pytest

from image.sidecar.log_file import LogFile
from image.sidecar.replica_lists import ReplicaLists
from image.sidecar.shipper import Shipper
from tests.image.told import Told
from tests.local.control.running import wait_until

STREAM = "i-0123456789abcdef0"


def arrived(told: Told, stream: str = STREAM) -> list[str]:
    logs = told.control.client("logs")
    try:
        answer = logs.get_log_events(logGroupName=told.user_data.log_group, logStreamName=stream, startFromHead=True)
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [event["message"] for event in answer["events"]]


@pytest.fixture
def console(tmp_path: Path) -> Path:
    return tmp_path / "console.log"


@pytest.fixture
def sidecar(told: Told, tmp_path: Path, console: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "run").mkdir()
    command = told.command("image.sidecar", "--log-file", str(console))
    process = subprocess.Popen(command, env=told.variables(tmp_path / "run"), stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def append(console: Path, text: str) -> None:
    with console.open("a") as file:
        file.write(text)


def test_lines_arrive_in_the_instances_own_stream(told: Told, console: Path, sidecar: subprocess.Popen[str]) -> None:
    append(console, "one\ntwo\nunfin")
    wait_until(lambda: arrived(told) == ["one", "two"])
    append(console, "ished\n")
    wait_until(lambda: arrived(told) == ["one", "two", "unfinished"])


def test_the_last_lines_get_out_on_the_stop_signal(told: Told, console: Path, sidecar: subprocess.Popen[str]) -> None:
    append(console, "first\n")
    wait_until(lambda: arrived(told))
    append(console, "".join(f"{number}\n" for number in range(12_000)))
    sidecar.terminate()
    assert sidecar.wait(20) == 0
    assert told.control.client("logs").describe_log_streams(logGroupName=told.user_data.log_group)["logStreams"]
    assert total(told) == 12_001


def total(told: Told) -> int:
    logs, count, token = told.control.client("logs"), 0, ""
    while True:
        more = {"nextToken": token} if token else {}
        place = {"logGroupName": told.user_data.log_group, "logStreamName": STREAM}
        answer = logs.get_log_events(**place, startFromHead=True, **more)
        if not answer["events"]:
            return count
        count, token = count + len(answer["events"]), answer["nextForwardToken"]


def test_a_changed_list_of_replicas_reaches_the_file(told: Told, tmp_path: Path) -> None:
    path, parameter = tmp_path / "replicas.json", told.user_data.shards[0].replicas_parameter
    ssm, stop = told.control.client("ssm"), Event()
    lists = ReplicaLists(lambda: ssm, {parameter: path})
    lists.refresh()
    assert json.loads(path.read_text()) == ["127.11.0.9:5432"]
    untouched = path.stat().st_ino
    lists.refresh()
    assert path.stat().st_ino == untouched
    ssm.put_parameter(Name=parameter, Value='["a:1", "b:2"]', Overwrite=True)
    lists.refresh()
    assert json.loads(path.read_text()) == ["a:1", "b:2"]
    for nonsense in ("not json", '{"a": 1}', "[1]"):
        ssm.put_parameter(Name=parameter, Value=nonsense, Overwrite=True)
        lists.refresh()
        assert json.loads(path.read_text()) == ["a:1", "b:2"]
    stop.set()
    lists.run(stop)


class Flaky:
    """A client of CloudWatch Logs that fails so many times."""

    def __init__(self, client: Any, failures: int) -> None:
        self._client, self.failures = client, failures
        self.exceptions = client.exceptions
        self.create_log_stream = client.create_log_stream

    def put_log_events(self, **arguments: Any) -> Any:
        if self.failures > 0:
            self.failures -= 1
            raise botocore.exceptions.ConnectTimeoutError(endpoint_url="http://x")
        return self._client.put_log_events(**arguments)


@pytest.fixture
def shipper(told: Told, console: Path) -> Callable[..., Shipper]:
    def make(failures: int = 0, **bounds: int) -> Shipper:
        client = Flaky(told.control.client("logs"), failures)
        return Shipper(lambda: client, told.user_data.log_group, "s", LogFile(console, **bounds))

    return make


def test_what_cannot_be_shipped_now_is_shipped_later_once(
    told: Told, console: Path, shipper: Callable[..., Shipper]
) -> None:
    append(console, "a\nb\n")
    ours = shipper(failures=2)
    for _ in range(2):
        with pytest.raises(botocore.exceptions.BotoCoreError):
            ours.ship()
    assert ours.ship() == 4
    assert ours.ship() == 0
    assert arrived(told, "s") == ["a", "b"]


def test_dropped_lines_are_reported_as_a_line(told: Told, console: Path, shipper: Callable[..., Shipper]) -> None:
    append(console, "".join(f"{number:03}\n" for number in range(100)))
    ours = shipper(failures=1, backlog=41)
    with pytest.raises(botocore.exceptions.BotoCoreError):
        ours.ship()
    ours.ship()
    messages = arrived(told, "s")
    reports = [json.loads(message) for message in messages if message.startswith("{")]
    assert [report["count"] for report in reports] == [90]
    assert [message for message in messages if not message.startswith("{")] == [f"{n:03}" for n in range(90, 100)]


def test_an_instance_without_user_data_is_told_why(told: Told, console: Path, tmp_path: Path) -> None:
    told.metadata.facts = type(told.metadata.facts)(**{**vars(told.metadata.facts), "user_data": None})
    command = told.command("image.sidecar", "--log-file", str(console))
    variables = told.variables(tmp_path)
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "GET /latest/user-data: HTTP 404" in json.loads(done.stderr)["reason"]

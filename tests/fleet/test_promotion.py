"""A replica in the place of a main that is lost with its data, by the commands of the runbook."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from botocore import xform_name

from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.settings_file import SettingsFile
from local import processes
from tests.fleet.cloud import STACK, Cloud, kill, running_cloud, session, wait

RUNBOOK = CHECKOUT / "docs" / "runbooks" / "promote-a-replica.md"
BACK = 120
TIMELINE = "SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud of its own: there is no way back to the main that it loses."""
    with running_cloud(tmp_path_factory.mktemp("promotion") / "checkout") as cloud:
        yield cloud


def commands(**names: str) -> list[list[str]]:
    """What the runbook's blocks say, in order, with names in place of its words in capitals."""
    blocks = re.findall(r"```\n(.*?)```", RUNBOOK.read_text(), re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines() if line.strip()]
    return [[names.get(word, word) for word in shlex.split(line)] for line in lines]


def aws(cloud: Cloud, words: list[str]) -> None:
    """Carries out a command of the AWS command line, which this machine need not have."""
    service, operation, *options = words
    client = session(cloud.recorded_run.endpoint).client(service)
    method = operation.replace("-", "_")
    members = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape.members
    named = {xform_name(member, "-"): member for member in members}
    parameters: dict[str, Any] = {}
    for word, following in zip(options, [*options[1:], "--"], strict=True):
        if word.startswith("--no-"):
            parameters[named[word.removeprefix("--no-")]] = False
        elif word.startswith("--"):
            parameters[named[word.removeprefix("--")]] = True if following.startswith("--") else following
    getattr(client, method)(**parameters)


class Posts:
    """Somebody who posts without a pause, and a stranger who reads whenever that was refused.

    Attributes:
        acknowledged: when and what.
        refused: the answers that were no success.
        seen: when and with which status code the stranger was answered, who looks at somebody that posts nothing.
    """

    def __init__(self, person: httpx.Client) -> None:
        self._person = person
        self._stranger = httpx.Client(base_url=person.base_url, timeout=10)
        self._quiet = f"quiet{id(self)}"
        account = {"name": self._quiet, "password": "correct horse battery"}
        assert self._stranger.post("/api/v1/users", json=account).status_code == 201
        self._stranger.cookies.clear()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[tuple[float, str]] = []
        self.refused: list[httpx.Response] = []
        self.seen: list[tuple[float, int]] = []

    def __enter__(self) -> Posts:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self._stranger.close()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            text = f"promotion {number}"
            answer = self._person.post("/api/v1/posts", json={"text": text})
            if answer.status_code == 201:
                self.acknowledged.append((time.monotonic(), text))
            else:
                self.refused.append(answer)
                seen = self._stranger.get(f"/api/v1/users/{self._quiet}").status_code
                self.seen.append((time.monotonic(), seen))
                self._stop.wait(0.1)
            self._stop.wait(0.02)

    def more(self, count: int) -> None:
        wanted = len(self.acknowledged) + count
        wait(lambda: len(self.acknowledged) >= wanted, BACK)


def servers(cloud: Cloud) -> dict[str, str]:
    """Status by DB instance identifier."""
    return {store.id: store.status for store in cloud.view().stores if store.id.startswith("goldfleet-local-shard-")}


def ask(cloud: Cloud, instance: str, statement: str) -> Any:
    """The first value of the answer, asked of a server as its administrator."""
    store = next(store for store in cloud.view().stores if store.id == instance)
    host, _, port = store.address.rpartition(":")
    password = (cloud.run_folder.stores / f"rds-{instance}" / "passfile").read_text().strip().rpartition(":")[2]

    async def asked() -> Any:
        connection = await asyncpg.connect(
            host=host, port=int(port), user="rdsadmin", password=password, database="app", ssl=False
        )
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(asked())


def process(cloud: Cloud, instance: str) -> processes.Process:
    return next(each for each in processes.recorded(cloud.run_folder) if each.name == f"rds-{instance}")


def receiver(postmaster: int) -> int:
    """The process of a replica that receives the log."""
    for pid in processes.tree(postmaster):
        if b"walreceiver" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("the replica receives nothing")


def texts(cloud: Cloud, instance: str) -> set[str]:
    return set(ask(cloud, instance, "SELECT array_agg(text) FROM posts WHERE text LIKE 'promotion %'"))


def lose(cloud: Cloud, main: str, replica: str, posts: Posts) -> tuple[float, float]:
    """The replica receives nothing more, and a little later the main is gone with its data; when both began."""
    lagging = receiver(process(cloud, replica).pid)
    os.kill(lagging, signal.SIGSTOP)
    behind_since = time.monotonic()
    posts.more(5)
    stores = cloud.run_folder.stores
    gone = (stores / f"rds-{main}").rename(stores / "lost")
    kill(process(cloud, main))
    lost_at = time.monotonic()
    shutil.rmtree(gone, ignore_errors=True)  # its children write on for a moment
    os.kill(lagging, signal.SIGCONT)
    wait(lambda: servers(cloud)[main] == "failed", 60)
    return behind_since, lost_at


def no_longer_lost(cloud: Cloud) -> None:
    """Edits the settings as the runbook says."""
    file = SettingsFile(cloud.folder, STACK, cloud.recorded_run.endpoint)
    assert file.load().database.lost == {"0": ["main"]}
    file.change("database", "lost", {})


def test_a_main_that_answers_is_not_replaced(cloud: Cloud) -> None:
    (replica,) = [store.id for store in cloud.view().stores if store.role == "replica"]
    before = (cloud.folder / "Pulumi.local.yaml").read_bytes()
    done = cloud.run("promote", replica)
    assert done.code == 2
    assert "is available: what it has and the replica has not would be lost" in done.text
    assert (cloud.folder / "Pulumi.local.yaml").read_bytes() == before


def test_a_replica_takes_the_place_of_a_lost_main(
    cloud: Cloud, person: httpx.Client, tell: Callable[[str], None]
) -> None:
    """What was acknowledged before the replica fell behind is there, and `up` leaves the new main alone."""
    (main,) = [store.id for store in cloud.view().stores if store.role == "main"]
    (replica,) = [store.id for store in cloud.view().stores if store.role == "replica"]
    look, promote, up, unprotect, delete, up_again = commands(STACK=STACK, MAIN=main, REPLICA=replica)
    with Posts(person) as posts:
        posts.more(10)
        behind_since, lost_at = lose(cloud, main, replica, posts)
        assert f"{main} " in cloud.do(*look[1:])
        promoted_at = time.monotonic()
        cloud.do(*promote[1:])
        posts.more(10)
    assert {answer.status_code for answer in posts.refused} == {503}
    assert all(answer.headers["Retry-After"] for answer in posts.refused)
    assert {code for at, code in posts.seen if at < promoted_at} == {200}
    kept = texts(cloud, replica)
    lost = [at for at, text in posts.acknowledged if text not in kept]
    assert all(behind_since <= at <= lost_at + 1 for at in lost)
    assert ask(cloud, replica, TIMELINE) == "00000002"
    assert {store.id: store.role for store in cloud.view().stores}[main] == "unused"
    assert servers(cloud) == {main: "failed", replica: "available", f"{replica}-1": "available"}

    clones = set(cloud.clones())
    assert " rds/instance:Instance" not in cloud.do(*up[1:])
    for words in (unprotect, delete):
        aws(cloud, words[1:])
    no_longer_lost(cloud)
    cloud.do(*up_again[1:])
    assert servers(cloud) == {replica: "available", f"{replica}-1": "available"}
    assert set(cloud.clones()) == clones
    assert person.post("/api/v1/posts", json={"text": "after"}).status_code == 201
    unread = [at for at, code in posts.seen if code != 200]
    back = next(at for at, _ in posts.acknowledged if at > lost_at + 1)
    tell(
        f"promotion, local: replica {lost_at - behind_since:.1f} s behind, {len(lost)} of "
        f"{len(posts.acknowledged)} posts lost, writes back after {back - lost_at:.0f} s, "
        f"strangers refused during {unread[-1] - unread[0] if unread else 0:.0f} s"
    )

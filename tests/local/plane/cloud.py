"""A local cloud for tests: its supervisor, boto3, events, and waiting with a bound."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from goldfleet.aws_session import DUMMY_ACCOUNT, Account, AwsSession
from local import processes
from local.events import Events
from local.network_number import choose_network
from local.run_folder import RunFolder, volatile_folder

T = TypeVar("T")

REGION = "us-east-1"


def wait_for(look: Callable[[], T | None], seconds: float = 30) -> T:
    """What `look` finds, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} seconds"
        time.sleep(0.1)


class Cloud:
    """One running supervisor."""

    def __init__(self, root: Path) -> None:
        self.folder = RunFolder(root / "run")
        self.network = choose_network(root)
        self.events = Events(self.folder.events)
        log = (root / "out").open("ab")
        command = [sys.executable, "-m", "local.supervisor", str(self.folder.root), "--network", str(self.network)]
        self.supervisor = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        run = wait_for(self.folder.read_run, 60)
        self.endpoint = run.endpoint
        self.client = cache(AwsSession(Account(DUMMY_ACCOUNT, REGION, run.endpoint)).client)

    @property
    def volatile(self) -> Path:
        return volatile_folder(self.network)

    def process(self, name: str) -> processes.Process | None:
        """The living process with this record."""
        return next((process for process in processes.recorded(self.folder) if process.name == name), None)

    def kill(self, name: str) -> processes.Process:
        """`kill -9`, as an accident would."""
        process = self.process(name)
        assert process is not None, f"{name} does not run"
        os.kill(process.pid, signal.SIGKILL)
        return process

    def happened(self, kind: str, subject: str) -> list[dict[str, Any]]:
        return [event for event in self.events.read() if (event["kind"], event["subject"]) == (kind, subject)]

    def close(self) -> None:
        self.supervisor.terminate()
        try:
            self.supervisor.wait(60)
        finally:
            processes.end_all(self.folder, grace=5)
            shutil.rmtree(self.volatile, ignore_errors=True)

"""Instances: the launcher and, beside it, the sidecar, as low-privilege processes with a clean environment.

A clone has a metadata service on its own address, a folder in memory for its passwords, and `instances/ID/` with what
it says. Its code is the registered release's own, read-only. Nothing but `AWS_EC2_METADATA_SERVICE_ENDPOINT` tells it
that it is not on AWS.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from goldfleet.contract.deadlines import STOP
from goldfleet.contract.service import STOP_SIGNAL
from local import metadata, processes
from local.accounts import Account, unprivileged
from local.metadata import Facts, MetadataServer
from local.plane.actor import clean_environment, end, remove_data
from local.plane.releases import PROJECT, Releases
from local.plane.wanted import Clone, Sidecar
from local.processes import Program, spawn
from local.run_folder import RunFolder

CONSOLE_LIMIT = 64 * 1024
"""Bytes of console text that are kept for get-console-output, as on EC2."""
_SIDECAR_STOP = 8.0


class Machines:
    """What clone and sidecar share: folders, account, metadata service.

    Args:
        folder: the run.
        volatile: folder in memory.
    """

    def __init__(self, folder: RunFolder, volatile: Path) -> None:
        self.folder = folder
        self._volatile = volatile
        self._services: dict[str, MetadataServer] = {}
        self._lock = threading.Lock()

    @cached_property
    def account(self) -> Account:
        needed = [Path(sys.executable), Path(sys.prefix), Path(sys.base_prefix), PROJECT, self.folder.instances]
        return unprivileged(needed)

    def home(self, clone: Clone) -> Path:
        return self.folder.instances / clone.instance_id

    def console(self, clone: Clone) -> Path:
        return self.home(clone) / "console.log"

    def volatile(self, clone: Clone) -> Path:
        return self._volatile / clone.instance_id

    def prepare(self, clone: Clone, account: Account) -> None:
        """Folders, before anything runs.

        Args:
            clone: whose.
            account: what they belong to.
        """
        account.make_folder(self.home(clone))
        account.make_folder(self.volatile(clone))
        self.console(clone).touch(mode=0o600)
        account.give(self.console(clone))

    def describe(self, clone: Clone, told: Facts) -> None:
        """Makes the clone's metadata service say what AWS says of it now."""
        with self._lock:
            service = self._services.get(clone.instance_id)
            if service is None:
                self._services[clone.instance_id] = MetadataServer(clone.address, told)
            else:
                service.facts = told

    def program(self, clone: Clone, name: str, output: Path, *command: str) -> Program:
        """A Python process of the machine; it finds the image's packages as if they were installed."""
        environment = clean_environment(
            HOME=str(self.home(clone)),
            PYTHONPATH=str(PROJECT),
            PYTHONDONTWRITEBYTECODE="1",
            PYTHONUNBUFFERED="1",
            RUNTIME_DIRECTORY=str(self.volatile(clone)),
            AWS_EC2_METADATA_SERVICE_ENDPOINT=f"http://{clone.address}:{metadata.PORT}",
        )
        return Program(name, (sys.executable, *command), self.home(clone), output, environment, self.account)

    def close_all_but(self, instances: set[str]) -> None:
        """Closes the metadata services of instances that are gone, and removes what they left."""
        with self._lock:
            gone = {name: self._services.pop(name) for name in self._services.keys() - instances}
        for name, service in gone.items():
            service.close()
            shutil.rmtree(self._volatile / name, ignore_errors=True)
            remove_data(self.folder.instances / name)


class Clones:
    """The actor for clones.

    Args:
        machines: what they share with their sidecars.
        releases: where their code comes from.
        last_words: takes instance id and console text when one has ended.
    """

    def __init__(self, machines: Machines, releases: Releases, last_words: Callable[[str, str], None]) -> None:
        self._machines = machines
        self._releases = releases
        self._last_words = last_words

    def start(self, spec: Clone) -> subprocess.Popen[bytes]:
        """Starts the launcher; whether it serves, the balancer's health check tells."""
        layer = self._releases.fetch(spec.release, spec.snapshot)
        self._machines.prepare(spec, self._machines.account)
        self._machines.describe(spec, facts(spec))
        command = ("-m", "image.launch", "--layer", str(layer))
        program = self._machines.program(spec, spec.name, self._machines.console(spec), *command)
        return spawn(self._machines.folder, program)

    def change(
        self,
        process: subprocess.Popen[bytes],
        before: Clone,  # noqa: ARG002  every actor is told
        spec: Clone,
    ) -> subprocess.Popen[bytes]:
        """A running instance can only learn what its metadata service tells."""
        self._machines.describe(spec, facts(spec))
        return process

    def stop(
        self,
        process: subprocess.Popen[bytes] | None,
        spec: Clone,
        *,
        forget: bool,  # noqa: ARG002  its sidecar may still read what it said
    ) -> None:
        end(process, signal.Signals(STOP_SIGNAL), STOP)
        processes.forget(self._machines.folder, spec.name)
        self._last_words(spec.instance_id, console_text(self._machines.console(spec)))


class Sidecars:
    """The actor for sidecars; `machines` as for `Clones`."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def start(self, spec: Sidecar) -> subprocess.Popen[bytes]:
        clone = spec.clone
        command = ("-m", "image.sidecar", "--log-file", str(self._machines.console(clone)))
        log = self._machines.home(clone) / "sidecar.log"
        return spawn(self._machines.folder, self._machines.program(clone, spec.name, log, *command))

    def change(
        self,
        process: subprocess.Popen[bytes],
        before: Sidecar,  # noqa: ARG002  every actor is told
        spec: Sidecar,  # noqa: ARG002  what it needs never changes
    ) -> subprocess.Popen[bytes]:
        return process

    def stop(
        self,
        process: subprocess.Popen[bytes] | None,
        spec: Sidecar,
        *,
        forget: bool,  # noqa: ARG002  the folder goes with the machine
    ) -> None:
        end(process, signal.SIGTERM, _SIDECAR_STOP)
        processes.forget(self._machines.folder, spec.name)


def facts(clone: Clone) -> Facts:
    """What the metadata service tells about a clone."""
    return Facts(
        instance_id=clone.instance_id,
        local_ipv4=clone.address,
        zone=clone.zone,
        region=clone.region,
        image_id=clone.image_id,
        instance_type=clone.instance_type,
        tags=dict(clone.tags),
        user_data=clone.user_data,
        role=clone.role,
    )


def console_text(console: Path) -> str:
    """The newest part of what an instance has said; the sidecar may have given back older parts as holes."""
    try:
        with console.open("rb") as file:
            file.seek(max(0, console.stat().st_size - CONSOLE_LIMIT))
            return file.read().lstrip(b"\0").decode(errors="replace")
    except FileNotFoundError:
        return ""

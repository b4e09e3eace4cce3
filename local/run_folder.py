"""The run folder `.local/run/`: everything of one run of the local cloud, born and thrown away together.

Only its owner can read what is inside. Where the owner is root, other accounts may walk through the outer folders,
because servers that refuse root run as such an account, each in a folder of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from goldfleet.errors import LocalCloudError

_OUTER_FOLDERS = ("processes", "pulumi", "project", "stores", "instances", "releases", "balancer")


@dataclass(frozen=True)
class Run:
    """What `run.json` says once the local cloud is ready.

    Args:
        network: the checkout's N.
        endpoint: URL of the control plane.
        supervisor: process id of the supervisor.
        started: when the supervisor's process started, as the kernel counts (see `processes.start_time`).
    """

    network: int
    endpoint: str
    supervisor: int
    started: int


@dataclass(frozen=True)
class RunFolder:
    """The layout below `root`."""

    root: Path

    @property
    def run_file(self) -> Path:
        return self.root / "run.json"

    @property
    def events(self) -> Path:
        return self.root / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.root / "supervisor.log"

    @property
    def control_log(self) -> Path:
        return self.root / "control.log"

    @property
    def processes(self) -> Path:
        return self.root / "processes"

    @property
    def pulumi(self) -> Path:
        return self.root / "pulumi"

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def stores(self) -> Path:
        return self.root / "stores"

    @property
    def instances(self) -> Path:
        return self.root / "instances"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def balancer(self) -> Path:
        return self.root / "balancer"

    def create(self) -> None:
        """Makes the folders that are missing."""
        mode = 0o711 if os.geteuid() == 0 else 0o700
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(mode)
        for name in _OUTER_FOLDERS:
            folder = self.root / name
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)

    def remove(self) -> None:
        """Removes everything. The processes that wrote here must have ended."""
        if self.root.exists():
            if self.releases.exists():
                _make_removable(self.releases)
            shutil.rmtree(self.root)

    def write_run(self, run: Run) -> None:
        write_private(self.run_file, json.dumps(asdict(run)))

    def read_run(self) -> Run | None:
        """What is recorded, or None when no local cloud was ready here; the supervisor may be dead by now.

        Raises:
            LocalCloudError: the file is not what `write_run` writes.
        """
        try:
            return Run(**json.loads(self.run_file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise LocalCloudError(str(self.run_file), f"unreadable ({error})", "run `goldfleet down`") from error


def _make_removable(folder: Path) -> None:
    """Unpacked releases are read-only; only root removes them as they are."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)


def volatile_folder(network: int) -> Path:
    """Where this checkout's clones keep what must never reach a disk: in memory where the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108  the system's tmpfs; `make_volatile_folder` checks the owner
    parent = memory if memory.is_dir() else Path(tempfile.gettempdir())
    return parent / f"goldfleet-{os.geteuid()}-{network}"


def make_volatile_folder(network: int) -> Path:
    """Makes the volatile folder.

    Raises:
        LocalCloudError: somebody else made it first.
    """
    folder = volatile_folder(network)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise LocalCloudError(str(folder), "belongs to another account", "remove it")
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return folder


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step; only its owner can read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)

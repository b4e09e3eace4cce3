"""Stage 1: installs the locked packages, and nothing else, into an empty root file system, by mmdebstrap.

The result is a tar that is the same for any user, at any time: the archive is a folder with the locked files only, the
clock of what is written stands still, and what differs from run to run all the same is removed by `tree`.
Source: mmdebstrap(1); Reproducible Builds, "SOURCE_DATE_EPOCH".
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from goldfleet.errors import ReleaseError
from image import cache
from image.os_layer import repository
from image.os_layer.lock import Package
from image.os_layer.overlay import Entry
from image.os_layer.recipe import EPOCH, KEPT, LEFT_OUT, SUITE, Recipe
from image.os_layer.tools import SEARCH_PATH, last_words

KIND = "os-packages"
TIMEOUT, CLEAN_UP = 900.0, 10.0
"""Seconds: for mmdebstrap, which takes about 40, and for it to take away what it made when it is told to end."""
_STEP = re.compile(r"I: (?P<step>(running apt|downloading|extracting|installing|cleaning|creating).*[^.])\.*")
MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders that are links into /usr from the start, as `usr-is-merged` demands."""

OF_THIS_MACHINE = ("etc/apt/sources.list", "etc/hostname", "etc/resolv.conf")
"""What mmdebstrap takes over from the machine that bakes, or writes about it."""


def install(recipe: Recipe, progress: Callable[[str], None]) -> Path:
    """The tar of the installed packages; from the cache if it was made before.

    Args:
        recipe: what to install.
        progress: told what happens.

    Raises:
        ReleaseError: a package cannot be had or installed.
    """
    place = cache.folder(KIND) / f"{recipe.packages_digest}.tar"
    if place.exists():
        progress("installed packages: from the cache")
        return cache.used(place)
    debs = repository.fetch(recipe.locked, SUITE, progress)
    progress(f"laying out {len(debs)} packages")
    with cache.workspace(KIND, cache.DAY) as folder:
        made = folder / "root.tar"
        _mmdebstrap(recipe, debs, made, progress)
        _require_exactly(recipe.locked, made)
        cache.move(made, place)
    return place


def _mmdebstrap(recipe: Recipe, debs: Mapping[Package, Path], target: Path, progress: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(prefix="goldfleet-bake-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # without root, mmdebstrap works as a user that is not this one
        repository.lay_out(debs, SUITE, folder / "archive")
        _write_tar(recipe.initramfs, folder / "initramfs.tar")
        (folder / "customise").write_bytes(recipe.customise)
        (folder / "customise").chmod(0o755)
        with target.open("wb") as output:
            _run(_command(recipe, folder), folder, output, progress)


def _command(recipe: Recipe, folder: Path) -> list[str]:
    merge = "; ".join(f'mkdir -p "$1/usr/{name}"; ln -s usr/{name} "$1/{name}"' for name in MERGED)
    return [
        "mmdebstrap",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        "--variant=essential",
        "--architectures=amd64",
        "--format=tar",
        f"--include={','.join(recipe.wanted)}",
        "--aptopt=APT::Install-Recommends false",
        "--dpkgopt=force-unsafe-io",  # a bake that a power cut stops starts anew
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        *(f"--dpkgopt=path-include={pattern}" for pattern in KEPT),
        f"--setup-hook={merge}",
        f'--essential-hook=tar --extract --directory "$1" --file {folder}/initramfs.tar',
        f"--customize-hook={folder}/customise",
        f'--customize-hook=cd "$1" && rm -f {" ".join(OF_THIS_MACHINE)}',
        SUITE,
        "-",
        f"deb [trusted=yes] copy:{folder}/archive ./",
    ]


def _run(command: list[str], folder: Path, output: io.BufferedWriter, progress: Callable[[str], None]) -> None:
    """Runs mmdebstrap with an environment of its own: what a person has exported reaches no maintainer script."""
    work = folder / "work"
    work.mkdir()
    work.chmod(0o1777)
    environment = {
        "PATH": SEARCH_PATH,
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": str(work),
        "SOURCE_DATE_EPOCH": str(EPOCH),
    }
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
        umask=0o022,
        start_new_session=True,
    ) as process:
        late = threading.Timer(TIMEOUT, _end, [process])
        late.start()
        try:
            said = _follow(process, progress)
        finally:
            late.cancel()
            _end(process)
    if process.returncode:
        ended = f"was ended after {TIMEOUT:.0f} s" if time.monotonic() - begun >= TIMEOUT else "failed"
        what = f"mmdebstrap {ended}: {last_words(said)}"
        raise ReleaseError("OS layer", what, "put that right, run it again")


def _follow(process: subprocess.Popen[str], progress: Callable[[str], None]) -> str:
    """Tells each step of mmdebstrap as it begins; returns all it said once it has ended."""
    said = []
    for line in process.stderr or ():
        said.append(line)
        if match := _STEP.fullmatch(line.strip()):
            progress(f"packages: {match['step']}")
    process.wait()
    return "".join(said)


def _end(process: subprocess.Popen[str]) -> None:
    """Ends mmdebstrap and what it started, if it still runs; given time, it takes its folders and mounts away."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(CLEAN_UP)


def _write_tar(entries: tuple[Entry, ...], target: Path) -> None:
    with tarfile.open(target, "w") as tar:
        for entry in entries:
            info = tarfile.TarInfo(entry.path)
            info.mode, info.size, info.mtime = entry.mode, len(entry.content), EPOCH
            tar.addfile(info, io.BytesIO(entry.content))
    target.chmod(0o644)


def _require_exactly(locked: tuple[Package, ...], tar: Path) -> None:
    """Raises ReleaseError unless what is installed is what is locked."""
    with tarfile.open(tar) as root:
        status = root.extractfile("./var/lib/dpkg/status")
        text = status.read().decode() if status else ""
    stanzas = [dict(line.split(": ", 1) for line in part.splitlines() if ": " in line) for part in text.split("\n\n")]
    installed = {f"{stanza['Package']}={stanza['Version']}" for stanza in stanzas if "Package" in stanza}
    wanted = {f"{package.name}={package.version}" for package in locked}
    if differing := sorted(installed ^ wanted):
        what = f"installed and locked packages differ: {', '.join(differing)}"
        raise ReleaseError("OS layer", what, "`goldfleet image update` locks what image/os.packages needs")

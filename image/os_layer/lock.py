"""`image/os.lock`: the exact packages of the OS layer, one a line, as apt finds and checks them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ReleaseError

FILE = "image/os.lock"
WAY_OUT = "restore it from git; or remove it, and `goldfleet image update` writes a new one"
HEADER = """\
# The packages of the OS layer, chosen by apt for image/os.packages. Only `goldfleet image update` writes this file.
# name version architecture sha256 bytes
"""
_LINE = re.compile(r"(?P<name>[a-z0-9][a-z0-9+.-]+) (?P<version>\S+) (?P<arch>\w+) (?P<sha>[0-9a-f]{64}) (?P<size>\d+)")


@dataclass(frozen=True, order=True)
class Package:
    """One locked package; `size` is that of its file, in bytes."""

    name: str
    version: str
    architecture: str
    sha256: str
    size: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.architecture} {self.sha256} {self.size}"


@dataclass(frozen=True)
class Change:
    """What happened to one package: `before` is empty for an added one, `after` for a removed one."""

    name: str
    before: str
    after: str


def read(root: Path) -> tuple[Package, ...]:
    """The locked packages of a checkout, sorted by name.

    Raises:
        ReleaseError: there is no lock, or a line of it is damaged.
    """
    path = root / FILE
    if not path.exists():
        raise ReleaseError(str(path), "is missing, the OS layer needs it", WAY_OUT)
    return parse(path.read_text(encoding="utf-8"), str(path))


def parse(text: str, where: str) -> tuple[Package, ...]:
    """The packages of a lock's text.

    Raises:
        ReleaseError: a line is no package, a name stands there twice, or there is none at all.
    """
    packages: dict[str, Package] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match["name"] in packages:
            raise ReleaseError(f"{where}:{number}", "is no line of a lock, or a name for the second time", WAY_OUT)
        name, version, architecture, sha256, size = match.groups()
        packages[name] = Package(name, version, architecture, sha256, int(size))
    if not packages:
        raise ReleaseError(where, "names no package", WAY_OUT)
    return tuple(sorted(packages.values()))


def render(packages: Iterable[Package]) -> str:
    """The lock's text: same packages, same bytes."""
    return HEADER + "".join(f"{package}\n" for package in sorted(packages))


def changes(before: Sequence[Package], after: Sequence[Package]) -> tuple[Change, ...]:
    """Added, removed and moved packages, by name; one whose bytes changed under its version counts as moved."""
    old, new = ({package.name: package for package in packages} for packages in (before, after))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return tuple(Change(name, _version(old.get(name)), _version(new.get(name))) for name in names)


def _version(package: Package | None) -> str:
    return package.version if package else ""

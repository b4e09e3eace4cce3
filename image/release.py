"""What a release is: the digest over everything that decides its bytes.

Only content counts: no times, no permissions, no caches, no folder names above the checkout. Our own code that bakes is
left out on purpose, a change of it is no new release; when it changes the bytes it makes, `LAYOUT` moves.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ReleaseError, ToolMissing
from image.os_layer import lock, recipe

LAYOUT = 1
"""Moves when the same inputs are laid out as other bytes."""

OS_PLATFORM = "linux_x86_64"
"""What the OS layer runs on, as wheel names say it."""

LOCK = "app/requirements.lock"
SOURCES = ("app", "goldfleet/__init__.py", "goldfleet/errors.py", "goldfleet/contract", "goldfleet/state")


@dataclass(frozen=True)
class Runtime:
    """What the layer is made for.

    Args:
        python: full version of the Python that compiles and runs it: bytecode may differ between patch releases.
        platform: as in wheel names, for example `linux_x86_64`.
    """

    python: str
    platform: str

    @classmethod
    def here(cls) -> Runtime:
        """This interpreter on this machine."""
        return cls(platform.python_version(), sysconfig.get_platform().replace("-", "_").replace(".", "_"))

    @property
    def name(self) -> str:
        """`python3.x`, as the layer's manifest says."""
        return "python" + ".".join(self.python.split(".")[:2])


def sources(root: Path) -> dict[str, Path]:
    """The files of the app layer that come from the checkout: path in the layer -> file.

    Args:
        root: the checkout.

    Raises:
        ReleaseError: a part is missing, or a link stands where a file should.
    """
    found: dict[str, Path] = {}
    for part in SOURCES:
        path = root / part
        if not path.exists():
            raise ReleaseError(str(path), "is missing, the app layer needs it", "run this in a checkout of the project")
        found |= {file.relative_to(root).as_posix(): file for file in _files(path)}
    return dict(sorted(found.items()))


def digest(content: Mapping[str, str], runtime: Runtime, layers: Sequence[str], os_layer: str = "") -> str:
    """The release's name: 64 hexadecimal digits.

    Args:
        content: path in the app layer -> SHA-256 of the file, hexadecimal.
        runtime: what it is made for.
        layers: of `os` and `app`.
        os_layer: the OS layer's digest, empty without one.
    """
    told: dict[str, object] = {
        "layout": LAYOUT,
        "layers": sorted(layers),
        "python": runtime.python,
        "platform": runtime.platform,
        "files": dict(content),
    }
    if os_layer:
        told["os"] = os_layer
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def working_tree(root: Path, layers: Sequence[str], runtime: Runtime | None = None) -> str:
    """The digest of the release that this checkout would bake now.

    Args:
        root: the checkout.
        layers: of `os` and `app`.
        runtime: what it would be made for; this interpreter unless said.

    Raises:
        ReleaseError: a part is missing.
        ToolMissing: the OS layer cannot be baked here, for example by this interpreter.
    """
    runtime = runtime or Runtime.here()
    content = {path: file_digest(file) for path, file in sources(root).items()}
    return digest(content, runtime, layers, os_digest(root, layers, runtime))


def os_digest(root: Path, layers: Sequence[str], runtime: Runtime) -> str:
    """The digest of the OS layer that this checkout would bake now; empty if the image has none.

    Raises:
        ToolMissing: the OS layer cannot be baked here, or not with an app layer for this runtime.
    """
    if "os" not in layers:
        return ""
    require_os_runtime(root, runtime)
    return recipe.digest(root)


def require_os_runtime(root: Path, runtime: Runtime) -> None:
    """Sees that an app layer for this runtime would start on the checkout's OS layer.

    Raises:
        ReleaseError: the OS layer's lock has no Python.
        ToolMissing: it is another one.
    """
    python = _locked_python(root)
    here = (runtime.name, runtime.platform)
    if here != (python, OS_PLATFORM):
        raise ToolMissing(
            "image.layers",
            f"the OS layer runs {python} on {OS_PLATFORM}, this is {' on '.join(here)}",
            f"make .venv with {python} on {OS_PLATFORM} and bake there",
        )


def _locked_python(root: Path) -> str:
    found = [package.name for package in lock.read(root) if re.fullmatch(r"python3\.\d+", package.name)]
    if len(found) != 1:
        raise ReleaseError(lock.FILE, f"names {len(found)} versions of Python, not one", "see image/os.packages")
    return found[0]


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_symlink():
        raise ReleaseError(str(path), "is a symbolic link, a release holds files only", "put the file itself there")
    if not path.is_dir():
        yield path
        return
    for child in path.iterdir():
        if not _passed_over(child.name):
            yield from _files(child)


def _passed_over(name: str) -> bool:
    """Caches, hidden files and what editors leave behind."""
    return name.startswith(".") or name == "__pycache__" or name.endswith((".pyc", "~", ".swp", ".orig", ".rej"))

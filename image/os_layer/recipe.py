"""What decides the bytes of the OS layer, and the digest over it.

Files of the checkout count by path, content and whether they may be executed; of this machine only the versions of the
tools that write bytes. Our own code that bakes is left out on purpose, but for the choices below: when it changes the
bytes it makes, `LAYOUT` moves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ReleaseError
from image.os_layer import lock, tools
from image.os_layer.overlay import Entry, code, files

SUITE = "bookworm"
"""Debian 12. Its Python is the app layer's runtime."""
LAYOUT = 2
"""Moves when the same inputs are laid out as other bytes."""
EPOCH = 1672531200
"""1 January 2023, UTC: the time of everything in the layer, in seconds since 1970."""
KERNEL_OPTIONS = "ro rootfstype=squashfs systemd.gpt_auto=0 panic=10 console=ttyS0"
"""Beside where the root is: nothing is guessed from partition types, the console is the serial one, and an initrd that
finds no root starts the machine anew after 10 seconds instead of offering a shell (initramfs-tools(7), "panic")."""
LEFT_OUT = (
    "/usr/share/man/*",
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/i18n/*",
    "/usr/share/bash-completion/*",
    "/usr/share/lintian/*",
    "/usr/lib/python3/dist-packages/botocore/data/*/*",
)
"""What no clone reads: documentation, translations, descriptions of AWS's services."""
KEPT = (
    "/usr/share/doc/*/copyright",
    "/usr/lib/python3/dist-packages/botocore/data/logs/*",
    "/usr/lib/python3/dist-packages/botocore/data/secretsmanager/*",
    "/usr/lib/python3/dist-packages/botocore/data/ssm/*",
)
"""Of these all the same: the licences, and the services that the launcher and the sidecar call."""

PACKAGES = "image/os.packages"
CUSTOMISE = "image/customise"
INITRAMFS = "image/initramfs"


@dataclass(frozen=True)
class Recipe:
    """All inputs, as they were read: what is hashed is what is baked, even if someone is typing.

    Args:
        wanted: names of the packages that the layer is made of.
        locked: those and all they need, exactly.
        initramfs: what is laid into /usr/share/initramfs-tools before the kernel is installed.
        customise: the script that runs on the root file system once all packages are installed.
        overlay: what is laid over it at the end.
        tools: version of each tool that writes bytes.
    """

    wanted: tuple[str, ...]
    locked: tuple[lock.Package, ...]
    initramfs: tuple[Entry, ...]
    customise: bytes
    overlay: tuple[Entry, ...]
    tools: Mapping[str, str]

    @property
    def packages_digest(self) -> str:
        """Digest of stage 1: the installed packages."""
        return _hash(
            {
                "layout": LAYOUT,
                "suite": SUITE,
                "epoch": EPOCH,
                "left_out": LEFT_OUT,
                "kept": KEPT,
                "wanted": self.wanted,
                "locked": [str(package) for package in self.locked],
                "initramfs": [entry.told for entry in self.initramfs],
                "customise": hashlib.sha256(self.customise).hexdigest(),
                "tools": dict(self.tools),
            }
        )

    @property
    def digest(self) -> str:
        """Digest of the OS layer: the installed packages and what is laid over them."""
        overlay = [entry.told for entry in self.overlay]
        return _hash({"packages": self.packages_digest, "overlay": overlay, "kernel": KERNEL_OPTIONS})


def read(root: Path) -> Recipe:
    """The recipe of a checkout.

    Raises:
        ReleaseError: a part is missing or damaged.
        ToolMissing: a tool is not installed here.
    """
    customise = root / CUSTOMISE
    if not customise.is_file():
        raise ReleaseError(str(customise), "is missing, the OS layer needs it", "restore it from git")
    return Recipe(
        wanted=wanted(root),
        locked=lock.read(root),
        initramfs=files(root / INITRAMFS, "usr/share/initramfs-tools"),
        customise=customise.read_bytes(),
        overlay=tuple(sorted((*files(root / "image/files", ""), *code(root)))),
        tools=tools.versions(),
    )


def wanted(root: Path) -> tuple[str, ...]:
    """The names in `image/os.packages`, sorted.

    Raises:
        ReleaseError: the file is missing, or a line gives no reason.
    """
    path = root / PACKAGES
    if not path.exists():
        raise ReleaseError(str(path), "is missing, it names the packages of the OS layer", "restore it from git")
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, reason = line.partition(" ")
        if not reason.strip():
            raise ReleaseError(f"{path}:{number}", f"package {name} has no reason", "write why behind its name")
        found.append(name)
    return tuple(sorted(found))


def digest(root: Path) -> str:
    """The OS layer's digest: 64 hexadecimal digits.

    Raises:
        ReleaseError: a part of the recipe is missing or damaged.
        ToolMissing: a tool whose version counts is not installed.
    """
    return read(root).digest


def _hash(told: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

"""The EFI system partition: boot loader, kernel, initrd and one entry, on a FAT file system without a clock.

Source: UEFI Specification, "File System Format"; Boot Loader Specification; mkfs.fat(8), mtools(1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from image.os_layer.recipe import EPOCH, KERNEL_OPTIONS
from image.os_layer.tools import run

BYTES = 64 * 1024 * 1024
"""Room for a kernel and an initrd of twice today's size; FAT32 needs 33 MB."""
TIMEOUT = 60.0


def content(kernel: bytes, initrd: bytes, loader: bytes, root: str) -> dict[str, bytes]:
    """The files of the partition: path -> content.

    Args:
        kernel: of the locked package.
        initrd: as made from it.
        loader: systemd-boot.
        root: PARTUUID of the root file system.
    """
    entry = f"title Goldfleet\nlinux /kernel\ninitrd /initrd\noptions root=PARTUUID={root} {KERNEL_OPTIONS}\n"
    return {
        "EFI/BOOT/BOOTX64.EFI": loader,
        "initrd": initrd,
        "kernel": kernel,
        "loader/entries/goldfleet.conf": entry.encode(),
        "loader/loader.conf": b"timeout 0\neditor no\n",
    }


def write(files: Mapping[str, bytes], volume_id: str, target: Path) -> None:
    """Writes the file system; same arguments, same bytes.

    Args:
        files: path -> content.
        volume_id: eight hexadecimal digits.
        target: the file to write, `BYTES` long.

    Raises:
        ReleaseError: a tool refused.
    """
    with target.open("wb") as file:
        file.truncate(BYTES)
    environment = {"SOURCE_DATE_EPOCH": str(EPOCH), "MTOOLSRC": "/dev/null"}
    _run(["mkfs.vfat", "--invariant", "-F", "32", "-i", volume_id, "-n", "ESP", str(target)], environment)
    folders = sorted({parent.as_posix() for path in files for parent in list(Path(path).parents)[:-1]})
    _run(["mmd", "-i", str(target), *(f"::/{folder}" for folder in folders)], environment)
    for path, file_content in sorted(files.items()):
        staged = target.with_name("staged")
        staged.write_bytes(file_content)
        _run(["mcopy", "-i", str(target), str(staged), f"::/{path}"], environment)
        staged.unlink()


def _run(command: list[str], environment: dict[str, str]) -> None:
    run(command, "ESP", TIMEOUT, env=environment)

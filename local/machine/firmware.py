"""UEFI firmware for virtual machines, where distributions put it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.errors import ToolMissing


@dataclass(frozen=True)
class Firmware:
    """OVMF: its program, and its variables as they are in a new machine."""

    code: Path
    variables: Path


PLACES = (
    Firmware(Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_VARS_4M.fd")),
    Firmware(Path("/usr/share/OVMF/OVMF_CODE.fd"), Path("/usr/share/OVMF/OVMF_VARS.fd")),
    Firmware(Path("/usr/share/edk2/ovmf/OVMF_CODE.fd"), Path("/usr/share/edk2/ovmf/OVMF_VARS.fd")),
    Firmware(Path("/usr/share/edk2/x64/OVMF_CODE.4m.fd"), Path("/usr/share/edk2/x64/OVMF_VARS.4m.fd")),
)
"""Debian and Ubuntu, older ones of both, Fedora, Arch."""


def find(places: Sequence[Firmware] = PLACES) -> Firmware:
    """The first firmware that is here.

    Raises:
        ToolMissing: there is none.
    """
    for firmware in places:
        if firmware.code.is_file() and firmware.variables.is_file():
            return firmware
    raise ToolMissing(
        "UEFI firmware",
        f"not found, looked for {', '.join(str(firmware.code) for firmware in places)}",
        "`apt-get install ovmf`, or `dnf install edk2-ovmf`",
    )

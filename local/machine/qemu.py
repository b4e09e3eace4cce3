"""A machine -> the command that runs it. Pure.

As on an EC2 Nitro instance: UEFI, disks on NVMe, a serial console, metadata at the link-local address.
Sources: QEMU, "Invocation" (qemu-system-x86_64(1)); AWS, "Instances built on the AWS Nitro System".
"""

from __future__ import annotations

import enum
import shlex
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.contract.stores import Endpoint
from local.machine import network
from local.machine.firmware import Firmware
from local.machine.network import Service

PROGRAM = "qemu-system-x86_64"
DOOR = Path(__file__).with_name("door.py")


class Accelerator(enum.Enum):
    """TCG works everywhere; KVM is faster, and broken on many nested machines, so it is a person's choice."""

    TCG = "tcg"
    KVM = "kvm"


@dataclass(frozen=True)
class Machine:
    """A machine to run. Its disks are never written: what it writes is gone with it.

    Args:
        firmware: UEFI.
        root, app: raw images of the two volumes.
        listen: where this computer answers for the guest's port.
        port: the guest's TCP port.
        services: all that the guest can reach.
        door: socket of the relays.
        identity: the machine's own; another one for each machine.
        accelerator: who executes the guest's code.
        mebibytes: memory.
        processors: how many.
    """

    firmware: Firmware
    root: Path
    app: Path
    listen: Endpoint
    port: int
    services: Sequence[Service]
    door: Path
    identity: uuid.UUID
    accelerator: Accelerator = Accelerator.TCG
    mebibytes: int = 1024
    processors: int = 2


def command(machine: Machine, program: str, console: int, monitor: int) -> tuple[str, ...]:
    """The whole command line.

    Args:
        machine: what to run.
        program: path of QEMU.
        console, monitor: file descriptors of connected sockets, for the serial console and for QMP.
    """
    options = (
        ("-machine", f"q35,accel={machine.accelerator.value}"),
        ("-cpu", "host" if machine.accelerator is Accelerator.KVM else "max"),
        ("-m", str(machine.mebibytes)),
        ("-uuid", str(machine.identity)),
        ("-smp", str(machine.processors)),
        ("-nodefaults", ""),
        ("-display", "none"),
        ("-no-reboot", ""),
        # Not elevateprivileges=deny: it also kills what is started for a connection, at its setsid(2).
        ("-sandbox", "on,obsolete=deny,resourcecontrol=deny"),
        ("-chardev", f"socket,id=console,fd={console}"),
        ("-serial", "chardev:console"),
        ("-chardev", f"socket,id=monitor,fd={monitor}"),
        ("-mon", "chardev=monitor,mode=control"),
        ("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={_escaped(machine.firmware.code)}"),
        ("-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={_escaped(machine.firmware.variables)}"),
        *_disk("root", machine.root),
        *_disk("app", machine.app),
        ("-netdev", _network(machine)),
        ("-device", "virtio-net-pci,netdev=link,romfile="),
        ("-device", "virtio-rng-pci"),
    )
    return (program, *(word for option in options for word in option if word))


def _disk(name: str, image: Path) -> Iterator[tuple[str, str]]:
    yield "-drive", f"if=none,id={name},format=raw,snapshot=on,file={_escaped(image)}"
    yield "-device", f"nvme,serial={name},drive={name}"


def _network(machine: Machine) -> str:
    parts = [
        "user",
        "id=link",
        "ipv6=off",
        "restrict=on",
        f"net={network.NETWORK}",
        f"host={network.ROUTER}",
        f"dhcpstart={network.GUEST}",
        f"hostfwd=tcp:{machine.listen}-{network.GUEST}:{machine.port}",
    ]
    for service in machine.services:
        words = (sys.executable, "-I", "-S", str(DOOR), str(machine.door), service.name)
        parts.append(f"guestfwd=tcp:{service.inside}-cmd:{_escaped(shlex.join(words))}")
    return ",".join(parts)


def _escaped(value: object) -> str:
    """QEMU separates the parts of an option by commas; a doubled one is a comma."""
    return str(value).replace(",", ",,")

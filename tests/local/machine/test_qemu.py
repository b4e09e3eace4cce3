"""The command line of a machine."""

from __future__ import annotations

import uuid
from dataclasses import replace
from pathlib import Path

from goldfleet.contract.stores import Endpoint
from local.machine.firmware import Firmware
from local.machine.network import METADATA, Service, Speaks
from local.machine.qemu import Accelerator, Machine, command

MACHINE = Machine(
    firmware=Firmware(Path("/fw/code.fd"), Path("/fw/vars.fd")),
    root=Path("/disks/root, old.raw"),
    app=Path("/disks/app.raw"),
    listen=Endpoint("127.10.0.5", 8000),
    port=8000,
    services=(Service(METADATA, Endpoint("127.10.0.5", 8169), Speaks.CLEAR),),
    door=Path("/run/a folder/door"),
    identity=uuid.UUID(int=7),
)


def options(machine: Machine) -> dict[str, list[str]]:
    words = command(machine, "qemu", 5, 6)
    found: dict[str, list[str]] = {}
    for name, value in zip(words, (*words[1:], ""), strict=True):
        if name.startswith("-"):
            found.setdefault(name, []).append(value)
    return found


def test_the_machine_is_emulated_unless_a_person_says_otherwise() -> None:
    assert options(MACHINE)["-machine"] == ["q35,accel=tcg"]
    assert options(replace(MACHINE, accelerator=Accelerator.KVM))["-machine"] == ["q35,accel=kvm"]


def test_no_drive_is_ever_written() -> None:
    drives = options(MACHINE)["-drive"]
    assert len(drives) == 4
    assert all("readonly=on" in drive or "snapshot=on" in drive for drive in drives)


def test_both_volumes_are_on_nvme_with_the_root_first() -> None:
    devices = [device for device in options(MACHINE)["-device"] if device.startswith("nvme")]
    assert devices == ["nvme,serial=root,drive=root", "nvme,serial=app,drive=app"]


def test_the_guest_is_alone_but_for_its_services() -> None:
    (network,) = options(MACHINE)["-netdev"]
    assert ",restrict=on," in network
    assert ",ipv6=off," in network
    assert "hostfwd=tcp:127.10.0.5:8000-169.254.0.15:8000" in network
    assert "guestfwd=tcp:169.254.169.254:80-cmd:" in network
    assert "'/run/a folder/door' 169.254.169.254:80" in network


def test_a_comma_in_a_path_is_not_the_end_of_it() -> None:
    assert any("file=/disks/root,, old.raw" in drive for drive in options(MACHINE)["-drive"])


def test_console_and_monitor_are_the_given_descriptors() -> None:
    assert options(MACHINE)["-chardev"] == ["socket,id=console,fd=5", "socket,id=monitor,fd=6"]

"""`goldfleet image test`: boots the very disk that ships, in a virtual machine."""

from __future__ import annotations

import argparse

from goldfleet.cli.boot_test import boot_test
from goldfleet.cli.checkout import CHECKOUT
from goldfleet.cli.terminal import Terminal
from image import bake
from local.machine.qemu import Accelerator

EXAMPLES = """\
  goldfleet image test                      the image that this checkout is, emulated: works on any Linux
  goldfleet image test --accelerator kvm    faster, where /dev/kvm may be used and is not itself emulated

It boots the baked disk as EC2 would: UEFI, NVMe, the app's volume as second disk, metadata at 169.254.169.254, real
PostgreSQL and Valkey over verified TLS, and moto for secrets and logs. The machine reaches nothing else. A release that
passes is noted on this machine, and may then be registered on AWS; one that fails says why, and exits with 1.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who executes the machine's code."""
    choices = [accelerator.value for accelerator in Accelerator]
    parser.add_argument("--accelerator", choices=choices, default="tcg", help="default: %(default)s, pure emulation")


def run(options: argparse.Namespace) -> int:
    """Runs `image test`; 1 when something is not true of the image."""
    terminal = Terminal()
    with terminal.step("baking the image") as step:
        baked = bake.bake(CHECKOUT, ("os", "app"), step.note)
    terminal.line(f"release {baked.release}")
    report = boot_test(baked, terminal, Accelerator(options.accelerator))
    failed = [finding.name for finding in report.findings if not finding.passed]
    if not report.passed:
        terminal.line(f"the image has failed: {'; '.join(failed)}")
        return 1
    terminal.line(f"the image has passed: healthy {report.healthy_after:.1f} s after power-on; it may be registered")
    return 0

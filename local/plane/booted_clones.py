"""Instances whose image boots: each a virtual machine from the very volumes that the image names.

The machine answers at the instance's own address; its metadata, its stores and AWS it finds where `local/machine/`
puts them. Its app listens on the machine's own link, so that is the address that its metadata tells.
"""

from __future__ import annotations

import subprocess
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from goldfleet.contract import service
from goldfleet.contract.clone import UserData
from goldfleet.contract.deadlines import STOP
from goldfleet.contract.stores import Endpoint
from goldfleet.errors import LocalCloudError
from local import certificates, metadata
from local.accounts import Account
from local.machine import firmware
from local.machine.guest import Guest, account
from local.machine.network import GUEST, GuestNetwork, guest_network
from local.machine.qemu import Machine
from local.machine.relays import Relays
from local.metadata import Facts
from local.plane.clones import Machines, console_text, facts
from local.plane.releases import Releases
from local.plane.wanted import BootedClone


@dataclass(frozen=True)
class Running:
    """A virtual machine, and what carries its connections."""

    guest: Guest
    relays: Relays

    def close(self) -> None:
        self.guest.close()
        self.relays.close()


class BootedClones:
    """The actor for clones that are virtual machines.

    Args:
        machines: their folders and metadata services.
        releases: where their disks come from.
        last_words: takes instance id and console text when one has ended.
    """

    def __init__(self, machines: Machines, releases: Releases, last_words: Callable[[str, str], None]) -> None:
        self._machines = machines
        self._releases = releases
        self._last_words = last_words
        self._running: dict[str, Running] = {}
        self._certificates = threading.Lock()

    def start(self, spec: BootedClone) -> subprocess.Popen[bytes]:
        """Switches the machine on; whether it serves, the balancer's health check tells.

        Raises:
            ToolMissing: QEMU or its firmware is not here.
            LocalCloudError: the volumes cannot be read, or QEMU refuses to start.
        """
        disks = (self._releases.disk(spec.root), self._releases.disk(spec.snapshot))
        owner = account(disks, self._machines.folder.instances)
        self._machines.prepare(spec, owner)
        network = self._network(spec)
        self._machines.describe(spec, guest_facts(spec, network))
        with self._certificates:
            relays = Relays(network.services, self._machines.folder.stores, self._machines.volatile(spec), owner)
        try:
            guest = self._switch_on(spec, network, relays, owner)
        except BaseException:
            relays.close()
            raise
        self._running[spec.name] = Running(guest, relays)
        return guest.process

    def change(
        self,
        process: subprocess.Popen[bytes],
        before: BootedClone,  # noqa: ARG002  every actor is told
        spec: BootedClone,
    ) -> subprocess.Popen[bytes]:
        """A running instance can only learn what its metadata service tells."""
        self._machines.describe(spec, guest_facts(spec, self._network(spec)))
        return process

    def stop(
        self,
        process: subprocess.Popen[bytes] | None,  # noqa: ARG002  the guest has it
        spec: BootedClone,
        *,
        forget: bool,  # noqa: ARG002  its console may still be asked for
    ) -> None:
        """Presses the power button; pulls the plug on a machine that takes longer than its app may."""
        running = self._running.pop(spec.name, None)
        if running is not None:
            if running.guest.alive:
                with suppress(LocalCloudError):
                    running.guest.power_off(STOP)
            running.close()
        self._last_words(spec.instance_id, console_text(self._machines.console(spec)))

    def _network(self, spec: BootedClone) -> GuestNetwork:
        if spec.user_data is None:
            raise LocalCloudError(spec.name, "was told nothing", "launch it with user data")
        with self._certificates:
            authority = certificates.authority(self._machines.folder.stores)
        told = without_replicas(UserData.from_text(spec.user_data))
        return guest_network(told, Endpoint(spec.address, metadata.PORT), authority)

    def _switch_on(self, spec: BootedClone, network: GuestNetwork, relays: Relays, owner: Account) -> Guest:
        machine = Machine(
            firmware=firmware.find(),
            root=self._releases.disk(spec.root),
            app=self._releases.disk(spec.snapshot),
            listen=Endpoint(spec.address, service.PORT),
            port=service.PORT,
            services=network.services,
            door=relays.door,
            identity=uuid.uuid5(uuid.NAMESPACE_URL, f"goldfleet:{spec.instance_id}"),
        )
        return Guest(self._machines.folder, spec.name, machine, self._machines.home(spec), owner)


def guest_facts(clone: BootedClone, network: GuestNetwork) -> Facts:
    """What the metadata service tells the machine: the instance's own facts, but for what differs on its link."""
    return replace(facts(clone), local_ipv4=GUEST, user_data=network.user_data.to_text())


def without_replicas(user_data: UserData) -> UserData:
    """The user data of a machine that reads from the mains: the parameters name addresses that it cannot reach."""
    shards = tuple(replace(shard, replicas_parameter="") for shard in user_data.shards)
    return replace(user_data, shards=shards)

"""One boot of the image: a machine with its own instance id, and what can be asked of it from outside."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from goldfleet.contract import service
from goldfleet.contract.stores import Endpoint
from local import metadata
from local.boot_test.world import REGION, ROLE, ZONE, World
from local.machine import firmware
from local.machine.guest import Guest, account
from local.machine.network import GUEST, guest_network
from local.machine.qemu import Accelerator, Machine
from local.machine.relays import Relays
from local.metadata import Facts, MetadataServer


@dataclass(frozen=True)
class Image:
    """What is booted.

    Args:
        release: its digest.
        root, app: raw images of its two volumes.
    """

    release: str
    root: Path
    app: Path


@dataclass(frozen=True)
class Boot:
    """A machine that was switched on.

    Args:
        instance_id: as its metadata service says; the name of its log stream.
        guest: the machine.
        site: where its app answers on this computer.
        powered_on: when, in seconds of the monotonic clock.
    """

    instance_id: str
    guest: Guest
    site: Endpoint
    powered_on: float

    @property
    def seconds(self) -> float:
        """Since power-on."""
        return time.monotonic() - self.powered_on


@contextmanager
def boot(world: World, number: int, image: Image, accelerator: Accelerator) -> Iterator[Boot]:
    """Switches a machine on; it is gone at the end of the block.

    Args:
        world: what is around it.
        number: of the boot in this run, from 1.
        image: what it boots.
        accelerator: who executes its code.

    Raises:
        GoldfleetError: QEMU or its firmware is missing, or it does not start.
    """
    instance_id, address = f"i-{number:017x}", world.address(number)
    network = guest_network(world.user_data, Endpoint(address, metadata.PORT), world.authorities)
    facts = Facts(
        instance_id=instance_id,
        local_ipv4=GUEST,
        zone=ZONE,
        region=REGION,
        image_id=f"ami-{image.release[:17]}",
        user_data=network.user_data.to_text(),
        role=ROLE,
    )
    owner = account([image.root, image.app], world.folder.instances)
    home = world.folder.instances / instance_id
    owner.make_folder(home)
    with ExitStack() as stack:
        stack.enter_context(closing(MetadataServer(address, facts)))
        relays = stack.enter_context(closing(Relays(network.services, world.folder.stores, home, owner)))
        site = Endpoint(address, service.PORT)
        machine = Machine(
            firmware=firmware.find(),
            root=image.root,
            app=image.app,
            listen=site,
            port=service.PORT,
            services=network.services,
            door=relays.door,
            identity=uuid.uuid4(),
            accelerator=accelerator,
        )
        powered_on = time.monotonic()
        guest = stack.enter_context(closing(Guest(world.folder, instance_id, machine, home, owner)))
        yield Boot(instance_id, guest, site, powered_on)

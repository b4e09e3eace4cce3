"""Multi-AZ failover: nothing answers for a while, then the standby serves the same data in the other zone.

It is asked for by RebootDBInstance, or begins when the data plane says that a machine is lost. Events and their order
are AWS's. Source: AWS, "Failing over a Multi-AZ DB instance for Amazon RDS" and "Amazon RDS event categories and event
messages".
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from moto.rds.exceptions import InvalidDBInstanceStateFault, InvalidParameterCombination
from moto.rds.models import Event, rds_backends

from local.control.cloud import CLOUD
from local.control.services.rds_instances import Failover, LocalInstance

FAILOVER = 4.0
"""Seconds in which nothing answers, before the server starts in the other zone. AWS: typically 60 to 120."""

_STARTED, _COMPLETED, _REQUESTED, _RESTARTED = (
    "FAILOVER_STARTED",
    "FAILOVER_COMPLETED",
    "FAILOVER_REQUESTED",
    "RESTARTED",
)
_EVENTS = {
    _STARTED: ("failover", "Multi-AZ instance failover started"),
    _COMPLETED: ("failover", "Multi-AZ instance failover completed"),
    _REQUESTED: ("notification", "The user requested a failover of the DB instance"),
    _RESTARTED: ("availability", "DB instance restarted"),
}


def request(instance: LocalInstance) -> None:
    """Starts the failover that somebody asked for.

    Raises:
        InvalidParameterCombination: the instance has no standby.
        InvalidDBInstanceStateFault: it is not available.
    """
    if not instance.multi_az:
        raise InvalidParameterCombination(
            f"Cannot reboot {instance.db_instance_identifier} with failover: it is not a Multi-AZ DB instance."
        )
    if instance.status != "available":
        raise InvalidDBInstanceStateFault(f"Instance {instance.db_instance_identifier} is not available.")
    _start(instance, requested=True)


def settle() -> bool:
    """Starts what the data plane has asked for, and ends what has lasted long enough; True if anything changed.

    Called with the cloud's lock held.
    """
    changed = False
    for instance in _instances():
        zone = CLOUD.reports.impaired.pop(instance.db_instance_identifier, None)
        if zone == instance.availability_zone and instance.multi_az and instance.failover is None:
            _start(instance, requested=False)
            changed = True
        if instance.failover is not None and time.monotonic() >= instance.failover.until:
            _complete(instance, instance.failover)
            changed = True
    return changed


def _start(instance: LocalInstance, *, requested: bool) -> None:
    instance.failover = Failover(time.monotonic() + FAILOVER, requested)
    instance.add_event(_STARTED)


def _complete(instance: LocalInstance, failover: Failover) -> None:
    instance.failover = None
    instance.swap_zones()
    CLOUD.reports.rds[instance.db_instance_identifier] = "starting"
    instance.add_event(_COMPLETED)
    if failover.requested:
        instance.add_event(_REQUESTED)
    instance.add_event(_RESTARTED)


def _instances() -> Iterator[LocalInstance]:
    for account in rds_backends.values():
        for backend in account.values():
            yield from (each for each in backend.databases.values() if isinstance(each, LocalInstance))


def install() -> None:
    """Lets moto know the events."""
    for kind, (category, message) in _EVENTS.items():
        Event.EVENT_MAP[kind] = {"Categories": [category], "Message": message}

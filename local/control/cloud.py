"""What one control plane knows beside moto's own state: its network, what the data plane reported, its version."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from local.addresses import service_address

MINUTE = 2.0
"""Seconds that a minute of CloudWatch lasts here, unless the control plane is told another length."""


@dataclass(frozen=True)
class TargetReport:
    """What health checks say about one target: ELBv2's state and reason code, and the HTTP status that they got."""

    state: str
    reason: str | None = None
    status: str | None = None


@dataclass(frozen=True)
class NodeReport:
    """How one cache node is.

    Args:
        state: `creating` until it answers with its data, then `available`; `silent` while it does not answer, `failed`
            when it has not for too long.
        role: `primary` or `replica`: what it is now, whatever it should be.
        created: CacheNodeCreateTime of the node that is meant, in seconds since 1970: one in its place has another.
        offset: how much it has replicated, in bytes.
    """

    state: str
    role: str
    created: int
    offset: int = 0


@dataclass
class Reports:
    """The latest of what the data plane has told.

    Attributes:
        rds, elasticache: status of each store by its id.
        impaired: zone in which an RDS instance has lost its machine, by its id.
        nodes: of replication groups, by cache cluster id.
        targets: by target group ARN and instance id.
        consoles: console text by instance id.
        ages: seconds by which an instance counts as older than it is, by instance id.
    """

    rds: dict[str, str] = field(default_factory=dict)
    elasticache: dict[str, str] = field(default_factory=dict)
    impaired: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, NodeReport] = field(default_factory=dict)
    targets: dict[str, dict[str, TargetReport]] = field(default_factory=dict)
    consoles: dict[str, str] = field(default_factory=dict)
    ages: dict[str, float] = field(default_factory=dict)


class Cloud:
    """The control plane of this process.

    Attributes:
        network: the checkout's N.
        data_plane: True if stores and targets are only ready once they are reported.
        minute: seconds that a minute of CloudWatch lasts.
        lock: held by whoever reads or changes moto's state, which is not made for threads.
    """

    def __init__(self) -> None:
        self.network = 10
        self.data_plane = False
        self.minute = MINUTE
        self.lock = threading.RLock()
        self.reports = Reports()
        self._addresses: dict[str, str] = {}
        self._version = 0
        self._closed = False
        self._changed = threading.Condition()

    def configure(self, network: int, data_plane: bool, minute: float) -> None:
        """Says who this control plane is; called once, before it answers."""
        self.network = network
        self.data_plane = data_plane
        self.minute = minute

    def address_of(self, service: str) -> str:
        """The loopback address of a managed service, for example `rds/main-1`; kept until it is released."""
        if service not in self._addresses:
            taken = set(self._addresses.values())
            self._addresses[service] = service_address(self.network, service, taken)
        return self._addresses[service]

    def release_address(self, service: str) -> None:
        """Gives a managed service's address back."""
        self._addresses.pop(service, None)

    def close(self) -> None:
        """Lets everybody go who waits for a change."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def mark_changed(self) -> None:
        """Counts one change and wakes those who wait for it."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def wait_for_change(self, after: int, timeout: float) -> int:
        """The version, as soon as it is above `after`, or after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._version <= after and not self._closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return self._version


CLOUD = Cloud()

"""What AWS says should run, as values: frozen, comparable, without AWS's shapes."""

from __future__ import annotations

from dataclasses import dataclass, field

from local.plane.address import Address
from local.plane.wanted_balancing import Balancing, Target


@dataclass(frozen=True)
class Main:
    """The main that a replica follows."""

    identifier: str
    address: Address


@dataclass(frozen=True)
class Database:
    """One RDS instance: a main, or a read replica if it has a `source`.

    Args:
        identifier: of the RDS instance.
        address: its endpoint.
        username, password: the master user.
        database: made with the instance; None: none.
        source: the main that a replica follows.
        zone: where its machine stands.
        multi_az: whether a standby in another zone takes over when its machine is lost.
    """

    identifier: str
    address: Address
    username: str
    password: str = field(repr=False)
    database: str | None = None
    source: Main | None = None
    zone: str = ""
    multi_az: bool = False

    @property
    def name(self) -> str:
        return f"rds-{self.identifier}"


@dataclass(frozen=True)
class StoreUser:
    """One user of a replication group; `access` is ElastiCache's access string."""

    username: str
    passwords: tuple[str, ...] = field(repr=False)
    access: str = "off"


@dataclass(frozen=True)
class StoreNode:
    """One node of a replication group.

    Args:
        group, identifier: of the replication group and of its cache cluster.
        address: where this node answers, whatever its role.
        primary: the group's primary endpoint, if this node is a replica.
        parameters: name and value, as the parameter group has them.
        users: of the group's user groups.
        endpoint: the group's primary endpoint, if this node is the primary: it answers there too.
        created: CacheNodeCreateTime in seconds since 1970; a node in the place of a failed one has a new one.
        keeps_data: True if AWS would fill the node in its place from a replica.
    """

    group: str
    identifier: str
    address: Address
    primary: Address | None
    parameters: tuple[tuple[str, str], ...]
    users: tuple[StoreUser, ...]
    endpoint: Address | None = None
    created: int = 0
    keeps_data: bool = False

    @property
    def name(self) -> str:
        return f"elasticache-{self.identifier}"


@dataclass(frozen=True)
class Release:
    """A registered release.

    Args:
        digest: its name.
        snapshot: behind the image's app volume.
        root: the snapshot behind the root volume, if that holds anything: then the image boots.
    """

    digest: str
    snapshot: str
    root: str = ""


@dataclass(frozen=True)
class Clone:
    """One running EC2 instance.

    Args:
        instance_id, address, zone, region, image_id, instance_type: as EC2 describes it.
        release: digest of the release on its image.
        snapshot: the snapshot behind the image's app volume.
        tags: key and value.
        user_data: decoded; None: none.
        role: of its instance profile.
    """

    instance_id: str
    address: str
    zone: str
    region: str
    image_id: str
    instance_type: str
    release: str
    snapshot: str
    tags: tuple[tuple[str, str], ...] = ()
    user_data: str | None = field(default=None, repr=False)
    role: str | None = None

    @property
    def name(self) -> str:
        return self.instance_id


@dataclass(frozen=True)
class BootedClone(Clone):
    """An instance whose image has an OS layer: it runs as a virtual machine, with its sidecar inside.

    Args:
        root: the snapshot behind the image's root volume.
    """

    root: str = ""


@dataclass(frozen=True)
class Sidecar:
    """What runs beside a clone."""

    clone: Clone

    @property
    def name(self) -> str:
        return f"{self.clone.instance_id}-sidecar"


@dataclass(frozen=True)
class Membership:
    """An instance in an Auto Scaling group.

    Args:
        group: name of the group.
        instance_id: the member.
        healthy: what the group believes.
    """

    group: str
    instance_id: str
    healthy: bool


Spec = Database | StoreNode | Balancing | Clone | BootedClone | Sidecar
"""One thing to run."""


def is_promoted(before: Spec, spec: Spec) -> bool:
    """True if a replica is to take writes from now on."""
    match before, spec:
        case StoreNode(primary=Address()), StoreNode(primary=None):
            return True
        case Database(source=Main()), Database(source=None):
            return True
        case _:
            return False


@dataclass(frozen=True)
class Wanted:
    """All that should run now.

    Args:
        databases, nodes, balancing, targets, clones, memberships: what AWS says.
        releases: all that are registered; a clone of each may come.
        paused: names of units that are stopped for now and keep their data.
        cut_off: names of units whose machine is lost: they must not answer, and keep their data.
        not_imitated: what AWS would do and the local cloud does not, one sentence each.
    """

    databases: tuple[Database, ...] = ()
    nodes: tuple[StoreNode, ...] = ()
    balancing: Balancing = field(default_factory=Balancing)
    targets: tuple[Target, ...] = ()
    clones: tuple[Clone, ...] = ()
    memberships: tuple[Membership, ...] = ()
    releases: frozenset[Release] = frozenset()
    paused: frozenset[str] = frozenset()
    cut_off: frozenset[str] = frozenset()
    not_imitated: frozenset[str] = frozenset()

    @property
    def specs(self) -> tuple[Spec, ...]:
        """Everything to run; the balancer only if there is a load balancer."""
        balancer = (self.balancing,) if self.balancing.load_balancers else ()
        sidecars = tuple(Sidecar(clone) for clone in self.clones if not isinstance(clone, BootedClone))
        return (*self.databases, *self.nodes, *balancer, *self.clones, *sidecars)

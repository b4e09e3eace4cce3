"""Which servers a shard has, by label: `main`, `replica-1`; after its promotion `replica-1-1` follows it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from goldfleet.contract.names import DB_INSTANCE_LENGTH, Names
from infra.settings.database import Database

MAIN = "main"


@dataclass(frozen=True)
class Servers:
    """A shard's servers by label.

    Args:
        main: takes the writes.
        replicas: follow it.
        lost: were the main before a promotion, and stay as they are.
    """

    main: str
    replicas: tuple[str, ...]
    lost: tuple[str, ...]


def servers(number: int, settings: Database) -> Servers:
    """The servers of a shard.

    A replica cannot follow another main, so a promoted one gets replicas of its own, under labels that begin with its
    own. Source: AWS, "Working with DB instance read replicas".

    Args:
        number: which shard, from 0.
        settings: of the database.
    """
    main = settings.promoted.get(str(number), MAIN)
    head = "replica" if main == MAIN else main
    replicas = tuple(f"{head}-{replica}" for replica in range(1, settings.replicas + 1))
    return Servers(main, replicas, tuple(label for label in settings.lost.get(str(number), ()) if label != main))


def server_id(names: Names, number: int, label: str) -> str:
    """The DB instance identifier of a server of shard `number`."""
    return names.of("shard", str(number), label, length=DB_INSTANCE_LENGTH)

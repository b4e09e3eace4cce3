"""What a guest finds on its network, and how its user data names it. Decides only.

The guest is alone: it reaches the services that it is given and nothing else, neither this computer nor the world.
Each service has an address of the guest's link. What on AWS speaks TLS does so here too, whatever the server behind
it can do.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from goldfleet.contract.clone import UserData
from goldfleet.contract.stores import Endpoint
from goldfleet.errors import LocalCloudError
from local.addresses import CONTROL_IN_GUEST

NETWORK = "169.254.0.0/16"
ROUTER = "169.254.0.2"
GUEST = "169.254.0.15"
"""The guest's own address."""
METADATA = Endpoint("169.254.169.254", 80)

_SESSIONS, _CACHE, _SHARD = "169.254.1.2", "169.254.1.3", "169.254.2.{}"
_MOST_SHARDS = 200


class Speaks(enum.Enum):
    """How the guest is answered; the server behind always speaks in clear."""

    CLEAR = "clear"
    TLS = "tls"
    POSTGRESQL = "postgresql"
    """TLS after PostgreSQL's own question for it."""


@dataclass(frozen=True)
class Service:
    """One thing that the guest can reach.

    Args:
        inside: where the guest finds it.
        outside: where it answers on this computer.
        speaks: what the guest is answered in.
    """

    inside: Endpoint
    outside: Endpoint
    speaks: Speaks

    @property
    def name(self) -> str:
        return str(self.inside)


@dataclass(frozen=True)
class GuestNetwork:
    """A guest's services, and the user data that names them by their addresses in the guest."""

    services: Sequence[Service]
    user_data: UserData


def guest_network(user_data: UserData, metadata: Endpoint, authorities: str) -> GuestNetwork:
    """The network for a guest that is told what `user_data` says.

    Args:
        user_data: as for a process of this computer: every endpoint is one of this computer.
        metadata: where the guest's metadata service answers on this computer.
        authorities: PEM text of who signs the certificates that the guest is shown.

    Raises:
        LocalCloudError: the user data leads elsewhere than to this computer.
    """
    if user_data.aws_endpoint is None or len(user_data.shards) > _MOST_SHARDS:
        raise LocalCloudError("user data", "is not that of a local cloud", "give that of a stack on this computer")
    aws = urlsplit(user_data.aws_endpoint)
    real_aws = Endpoint(aws.hostname or "", aws.port or 80)
    shards = [
        Service(Endpoint(_SHARD.format(number), shard.main.port), shard.main, Speaks.POSTGRESQL)
        for number, shard in enumerate(user_data.shards, 1)
    ]
    sessions, cache = user_data.sessions.primary, user_data.cache.primary
    services = (
        Service(METADATA, metadata, Speaks.CLEAR),
        Service(Endpoint(CONTROL_IN_GUEST, real_aws.port), real_aws, Speaks.CLEAR),
        Service(Endpoint(_SESSIONS, sessions.port), sessions, Speaks.TLS),
        Service(Endpoint(_CACHE, cache.port), cache, Speaks.TLS),
        *shards,
    )
    told = replace(
        user_data,
        aws_endpoint=f"{aws.scheme}://{services[1].inside}",
        sessions=replace(user_data.sessions, primary=services[2].inside),
        cache=replace(user_data.cache, primary=services[3].inside),
        shards=tuple(
            replace(shard, main=service.inside) for shard, service in zip(user_data.shards, shards, strict=True)
        ),
        authorities=authorities,
    )
    return GuestNetwork(services, told)

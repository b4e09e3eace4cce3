"""What a process of the app sees: the launcher writes these variables, the app reads nothing else of ours.

Passwords are not in the environment: it names files on a tmpfs that only the app's user can read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from goldfleet.contract.stores import Endpoint
from goldfleet.errors import ContractError

PREFIX = "GOLDFLEET_"


@dataclass(frozen=True)
class ShardAccess:
    """One main and its replicas as the app reaches them.

    Args:
        main: where writes go.
        database: name of the database.
        username: role to log in as.
        password_file: path of a file that holds the password, and nothing else.
        replicas_file: path of a JSON list of `host:port`, replaced atomically when the list changes.
    """

    main: Endpoint
    database: str
    username: str
    password_file: str
    replicas_file: str


@dataclass(frozen=True)
class StoreAccess:
    """A replication group as the app reaches it.

    Args:
        primary: takes all commands.
        username: user to log in as.
        password_file: path of a file that holds the password, and nothing else.
    """

    primary: Endpoint
    username: str
    password_file: str


@dataclass(frozen=True)
class Environment:
    """The variables, each `GOLDFLEET_` and the field's name in capitals; structured ones are JSON.

    Args:
        project, stack: names of both.
        region: AWS region.
        instance_id: the clone that runs it.
        zone: availability zone of the clone.
        release: digest of the release, as in the app layer's manifest.
        public_url: scheme, host and port under which people see the site.
        host: address to listen on.
        port: TCP port to listen on.
        shards: the database, one entry per shard, in shard order.
        sessions: the store of sessions.
        cache: the cache.
        secrets_dir: folder with one file per secret of `app.secrets`.
    """

    project: str
    stack: str
    region: str
    instance_id: str
    zone: str
    release: str
    public_url: str
    host: str
    port: int
    shards: tuple[ShardAccess, ...]
    sessions: StoreAccess
    cache: StoreAccess
    secrets_dir: str

    def to_variables(self) -> dict[str, str]:
        """The variables to start a process with."""
        return {
            PREFIX + name.upper(): value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> Environment:
        """Reads what `to_variables` wrote; other variables are passed over.

        Raises:
            ContractError: a variable is missing or unreadable; it is named.
        """
        fields: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            variable = PREFIX + name.upper()
            if variable not in variables:
                raise _unreadable(variable, "not set")
            try:
                fields[name] = _READERS.get(name, str)(variables[variable])
            except (ValueError, KeyError, TypeError) as error:
                raise _unreadable(variable, f"unreadable ({error})") from error
        return cls(**fields)


def _shards(text: str) -> tuple[ShardAccess, ...]:
    return tuple(ShardAccess(**{**raw, "main": Endpoint(**raw["main"])}) for raw in json.loads(text))


def _store(text: str) -> StoreAccess:
    raw = json.loads(text)
    return StoreAccess(**{**raw, "primary": Endpoint(**raw["primary"])})


_READERS: Mapping[str, Any] = {"port": int, "shards": _shards, "sessions": _store, "cache": _store}


def _unreadable(variable: str, what: str) -> ContractError:
    return ContractError(variable, what, "start the app through the launcher, or by `goldfleet run`")

"""What a clone is told: its user data. The program writes it, the launcher reads it.

Secrets are named, never contained: user data can be read by whoever may describe the instance.
Source: AWS, "Run commands when you launch an EC2 instance with user data input" (16 KB before base64).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from goldfleet.contract.stores import Endpoint
from goldfleet.errors import ContractError

VERSION = 1
SIZE_LIMIT = 16 * 1024


@dataclass(frozen=True)
class Shard:
    """One main and the list of its read replicas.

    Args:
        main: where writes go.
        database: name of the database.
        owner_secret: secret `{"username", "password"}` of the owner: migrations, roles, grants.
        app_secret: secret `{"username", "password"}` of the role that the app uses.
        replicas_parameter: SSM parameter, a JSON list of `host:port`; re-read while the app runs. Empty: reads go to
            the main.
    """

    main: Endpoint
    database: str
    owner_secret: str
    app_secret: str
    replicas_parameter: str


@dataclass(frozen=True)
class Store:
    """A replication group.

    Args:
        primary: takes all commands.
        secret: secret `{"username", "password"}` of the user that the app uses.
    """

    primary: Endpoint
    secret: str


@dataclass(frozen=True)
class UserData:
    """All that a clone is told, the same for every clone of a launch template version.

    Args:
        project, stack: names of both.
        region: AWS region.
        public_url: scheme, host and port under which people see the site.
        log_group: CloudWatch Logs group for the app's lines.
        shards: at least one.
        sessions: the replication group of sessions.
        cache: the replication group of the cache.
        app_environment: variables for the app, by name.
        app_secrets: secrets for the app: name -> secret id.
        aws_endpoint: where AWS answers, when it is not AWS (a loopback or link-local address); else None.
        authorities: certificates as PEM text: whom the clone trusts beside those that its image names.
        version: of this format; a clone refuses any other.
    """

    project: str
    stack: str
    region: str
    public_url: str
    log_group: str
    shards: tuple[Shard, ...]
    sessions: Store
    cache: Store
    app_environment: Mapping[str, str] = field(default_factory=dict)
    app_secrets: Mapping[str, str] = field(default_factory=dict)
    aws_endpoint: str | None = None
    authorities: str = ""
    version: int = VERSION

    def to_text(self) -> str:
        """One JSON document, the same bytes for the same content.

        Raises:
            ContractError: the text does not fit into EC2's 16 KB.
        """
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        if len(text.encode()) > SIZE_LIMIT:
            raise ContractError(
                "user data",
                f"{len(text.encode())} bytes, EC2 takes at most {SIZE_LIMIT}",
                "shorten app.environment",
            )
        return text

    @classmethod
    def from_text(cls, text: str) -> UserData:
        """Reads what `to_text` wrote.

        Raises:
            ContractError: not JSON, another version, or a field missing, unknown or of the wrong type.
        """
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise _unreadable(f"not JSON ({error})") from error
        if not isinstance(raw, dict) or raw.get("version") != VERSION:
            raise _unreadable(f"version {raw.get('version') if isinstance(raw, dict) else None}, expected {VERSION}")
        try:
            return cls(
                **{
                    **raw,
                    "shards": tuple(_shard(shard) for shard in raw["shards"]),
                    "sessions": _store(raw["sessions"]),
                    "cache": _store(raw["cache"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise _unreadable(f"field {error}") from error


def _shard(raw: Mapping[str, Any]) -> Shard:
    return Shard(**{**raw, "main": Endpoint(**raw["main"])})


def _store(raw: Mapping[str, Any]) -> Store:
    return Store(**{**raw, "primary": Endpoint(**raw["primary"])})


def _unreadable(what: str) -> ContractError:
    return ContractError("user data", what, "launch the clone from a template that this release's program wrote")

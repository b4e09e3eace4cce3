"""User data and the clone's own facts -> the environment of a process, and the files it names. Decides only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from goldfleet.contract import service
from goldfleet.contract.clone import UserData
from goldfleet.contract.environment import PREFIX, Environment, ShardAccess, StoreAccess
from goldfleet.errors import ContractError
from image.launch.aws import Login
from image.launch.metadata import Clone

APP_ROLES_VARIABLE = "GOLDFLEET_APP_ROLES"
AUTHORITIES_VARIABLE = "SSL_CERT_FILE"
"""OpenSSL's own (SSL_CTX_set_default_verify_paths(3)); the setting app.environment may name another file."""
AUTHORITIES_FILE = "authorities.pem"
MIGRATE_FOLDER = "migrate"
SECRETS_FOLDER = "secrets"


@dataclass(frozen=True)
class Fetched:
    """What was read from Secrets Manager, SSM and the image, shards in order.

    Args:
        apps, owners: logins per shard.
        replicas: JSON text per shard.
        sessions, cache: logins of the two stores.
        secrets: text of the app's own secrets, by name.
        authorities: PEM text, or nothing when the system's are enough.
    """

    apps: Sequence[Login]
    owners: Sequence[Login]
    replicas: Sequence[str]
    sessions: Login
    cache: Login
    secrets: Mapping[str, str] = field(default_factory=dict)
    authorities: str = ""


@dataclass(frozen=True)
class Process:
    """How to start a process: its variables, and the files to write before, by path relative to the runtime folder."""

    variables: Mapping[str, str]
    files: Mapping[str, str]


def replicas_file(runtime: Path, shard: int) -> Path:
    """Where the list of replicas of a shard lies; the sidecar keeps it up to date."""
    return runtime / f"shard-{shard}.replicas.json"


def serving(user_data: UserData, clone: Clone, release: str, runtime: Path, fetched: Fetched) -> Process:
    """The app: its own role on every shard, never the owner's."""
    environment = _environment(user_data, clone, release, runtime, fetched)
    files = {f"shard-{n}.password": login.password for n, login in enumerate(fetched.apps)}
    files |= {replicas_file(runtime, n).name: text for n, text in enumerate(fetched.replicas)}
    files |= {"sessions.password": fetched.sessions.password, "cache.password": fetched.cache.password}
    files |= {f"{SECRETS_FOLDER}/{_file_name(name)}": text for name, text in fetched.secrets.items()}
    files |= {AUTHORITIES_FILE: fetched.authorities} if fetched.authorities else {}
    return Process(_app_variables(user_data, runtime, fetched) | environment.to_variables(), files)


def migrating(user_data: UserData, clone: Clone, release: str, runtime: Path, fetched: Fetched) -> Process:
    """The migration: the owner's role on every shard, and the names and password files of the app's roles."""
    environment = _environment(user_data, clone, release, runtime, fetched)
    folder = runtime / MIGRATE_FOLDER
    shards = tuple(
        replace(shard, username=owner.username, password_file=str(folder / f"owner-{n}.password"))
        for n, (shard, owner) in enumerate(zip(environment.shards, fetched.owners, strict=True))
    )
    roles = [{"username": shard.username, "password_file": shard.password_file} for shard in environment.shards]
    files = {f"{MIGRATE_FOLDER}/owner-{n}.password": owner.password for n, owner in enumerate(fetched.owners)}
    variables = replace(environment, shards=shards).to_variables()
    return Process(
        _app_variables(user_data, runtime, fetched) | variables | {APP_ROLES_VARIABLE: str(folder / "app-roles.json")},
        files | {f"{MIGRATE_FOLDER}/app-roles.json": json.dumps(roles)},
    )


def _environment(user_data: UserData, clone: Clone, release: str, runtime: Path, fetched: Fetched) -> Environment:
    return Environment(
        project=user_data.project,
        stack=user_data.stack,
        region=user_data.region,
        instance_id=clone.instance_id,
        zone=clone.zone,
        release=release,
        public_url=user_data.public_url,
        host=clone.address,
        port=service.PORT,
        shards=tuple(
            ShardAccess(
                main=shard.main,
                database=shard.database,
                username=login.username,
                password_file=str(runtime / f"shard-{n}.password"),
                replicas_file=str(replicas_file(runtime, n)),
            )
            for n, (shard, login) in enumerate(zip(user_data.shards, fetched.apps, strict=True))
        ),
        sessions=StoreAccess(user_data.sessions.primary, fetched.sessions.username, str(runtime / "sessions.password")),
        cache=StoreAccess(user_data.cache.primary, fetched.cache.username, str(runtime / "cache.password")),
        secrets_dir=str(runtime / SECRETS_FOLDER),
    )


def _app_variables(user_data: UserData, runtime: Path, fetched: Fetched) -> dict[str, str]:
    for name in user_data.app_environment:
        if name.startswith(PREFIX) or name.startswith("PYTHON"):
            raise ContractError(
                f"app.environment.{name}", f"names starting with {PREFIX} and PYTHON are taken", "choose another name"
            )
    trust = {AUTHORITIES_VARIABLE: str(runtime / AUTHORITIES_FILE)} if fetched.authorities else {}
    return {**trust, **user_data.app_environment}


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        raise ContractError(f"app.secrets.{name}", "the name becomes a file's name", "use letters, digits, '_' and '-'")
    return name

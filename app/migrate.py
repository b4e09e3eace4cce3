"""`python -m app.migrate`: brings every shard to this release's schema, then makes the role that the app logs in as.

The launcher starts it with the owner's access to the shards; `GOLDFLEET_APP_ROLES` names a JSON file that lists, per
shard, the `username` and `password_file` of the app's role. Doing it again changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.log import log, to_standard_output
from goldfleet.contract.environment import PREFIX, Environment
from goldfleet.errors import ContractError, GoldfleetError
from goldfleet.state.migrate import ensure_role, migrate

FOLDER = Path(__file__).parent / "migrations"
ROLES = PREFIX + "APP_ROLES"


async def prepare(environment: Environment, roles: Sequence[Mapping[str, str]], migrations: Path = FOLDER) -> None:
    """Migrates each shard and makes its role.

    Args:
        environment: with the owner's access to each shard.
        roles: `username` and `password_file` per shard, in shard order.
        migrations: folder of the SQL files.

    Raises:
        GoldfleetError: a shard does not answer, or a migration fails.
    """
    for index, (shard, role) in enumerate(zip(environment.shards, roles, strict=True)):
        applied = await migrate(shard, migrations)
        await ensure_role(shard, role["username"], Path(role["password_file"]))
        log.info("shard %d: %s", index, ", ".join(applied) or "nothing to migrate")


def main(variables: Mapping[str, str]) -> None:
    """Reads what the launcher wrote, and prepares.

    Raises:
        GoldfleetError: as `prepare` does, or a variable is missing.
    """
    environment = Environment.from_variables(variables)
    asyncio.run(prepare(environment, roles(variables.get(ROLES), len(environment.shards))))


def roles(file: str | None, shards: int) -> Sequence[Mapping[str, str]]:
    way_out = "start the migration through the launcher"
    if file is None:
        raise ContractError(ROLES, "not set", way_out)
    try:
        roles = json.loads(Path(file).read_text(encoding="utf-8"))
        read = [{"username": str(role["username"]), "password_file": str(role["password_file"])} for role in roles]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ContractError(ROLES, f"unreadable ({error})", way_out) from error
    if len(read) != shards:
        raise ContractError(ROLES, f"lists {len(read)} roles for {shards} shards", way_out)
    return read


if __name__ == "__main__":
    to_standard_output()
    try:
        main(os.environ)
    except GoldfleetError as error:
        sys.exit(str(error))

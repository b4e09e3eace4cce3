"""Migrations: plain SQL files, applied once each, under a lock, before a clone serves.

The folder holds `NNNN_name.sql`, applied in the order of their numbers, each in its own transaction. What was applied
is in the table `schema_migrations` with its checksum. Migrations only add: the previous release goes on working on the
new schema while the fleet is replaced, and after a rollback.

>>> async def main() -> None:
...     for applied in await migrate(owner, Path("migrations")):
...         print("applied", applied)
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from goldfleet.contract.deadlines import MIGRATION_WAIT
from goldfleet.contract.environment import ShardAccess
from goldfleet.state.access import read_password
from goldfleet.state.connections import Connection, server_errors, settings
from goldfleet.state.exceptions import DatabaseDown, MigrationError
from goldfleet.state.expand_only import violations

STATEMENT = 60
"""Seconds for one migration's statement; long rewrites belong into the background, not into a start."""
_LOCK = 0x676F6C64666C7401
"""Key of the advisory lock: one clone migrates, the others wait for it."""
_LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""
_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_LONGEST_PAUSE = 2.0


@dataclass(frozen=True)
class Migration:
    """One file: its name, its SQL, and the SHA-256 of that."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of a folder in their order; other files than `*.sql` are passed over.

    Raises:
        MigrationError: a name has another shape, a number is there twice, or a migration takes something away.
    """
    migrations = [Migration(path.name, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.sql"))]
    numbers = [migration.name[:4] for migration in migrations]
    for migration in migrations:
        if not _NAME.fullmatch(migration.name):
            raise MigrationError(migration.name, "is not named NNNN_name.sql", "rename it")
        if numbers.count(migration.name[:4]) > 1:
            raise MigrationError(migration.name, "shares its number with another migration", "give it the next number")
        for violation in violations(migration.sql):
            raise MigrationError(migration.name, violation, "only add; the previous release still runs on this schema")
    return migrations


def pending(migrations: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    """What is still to be applied.

    Args:
        migrations: of this release.
        applied: checksum by name, from the database; may hold those of a later release, after a rollback.

    Raises:
        MigrationError: a migration was changed after it was applied.
    """
    for migration in migrations:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise MigrationError(
                migration.name, "was changed after it was applied", "restore it, and put the change into a new one"
            )
    return [migration for migration in migrations if migration.name not in applied]


async def migrate(shard: ShardAccess, folder: Path, deadline: float = MIGRATION_WAIT) -> list[str]:
    """Applies what a shard lacks.

    Args:
        shard: access as the owner of the schema.
        folder: with the migrations.
        deadline: seconds to wait for the database and for another clone that migrates.

    Returns:
        The names of the migrations that were applied now, in order.

    Raises:
        MigrationError: a rule is broken, nothing was done; or a statement failed, and its file was undone.
        DatabaseDown: no database within the deadline, or one with a certificate that is not trusted.
    """
    migrations = read_migrations(folder)
    connection = await _connect(shard, deadline)
    try:
        with server_errors(str(shard.main)):
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=deadline)
            await connection.execute(_LEDGER)
            rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
            missing = pending(migrations, {row["name"]: row["checksum"] for row in rows})
            for migration in missing:
                await _apply(connection, migration)
    finally:
        connection.terminate()  # gives the lock back too
    return [migration.name for migration in missing]


async def ensure_role(shard: ShardAccess, username: str, password_file: Path) -> None:
    """Makes the app's role, or gives it its password of now: it may read and write rows, and change no schema.

    To be called after `migrate`: it grants what there is then. PostgreSQL is sent a SCRAM verifier (RFC 5803), so the
    password is in no log.

    Args:
        shard: access as the owner of the schema.
        username: the role.
        password_file: holds its password.

    Raises:
        DatabaseDown: the database does not answer.
    """
    verifier = scram_verifier(read_password(str(password_file)))
    connection = await _connect(shard, MIGRATION_WAIT)
    try:
        with server_errors(str(shard.main)):
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                for template in _ROLE:
                    sql = await connection.fetchval(template, username, verifier, shard.database)
                    if sql:
                        await connection.execute(sql)
    finally:
        connection.terminate()


# Each is asked for with (role, verifier, database); format() quotes what SQL takes no parameters for.
_ROLE = (
    "SELECT CASE WHEN NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
    " THEN format('CREATE ROLE %I LOGIN', $1::text) END, $2::text, $3::text",
    "SELECT format('ALTER ROLE %I PASSWORD %L', $1::text, $2::text), $3::text",
    "SELECT format('GRANT CONNECT ON DATABASE %I TO %I', $3::text, $1::text), $2::text",
    "SELECT format('GRANT USAGE ON SCHEMA public TO %I', $1::text), $2::text, $3::text",
    "SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO %I', $1::text),"
    " $2::text, $3::text",
    "SELECT format('REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM %I', $1::text), $2::text, $3::text",
    "SELECT format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO %I', $1::text), $2::text, $3::text",
    # To see which timeline a replica receives: without it, none is used for minutes after a promotion.
    "SELECT format('GRANT pg_monitor TO %I', $1::text), $2::text, $3::text",
)


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = 4096) -> str:
    """What PostgreSQL stores for a password of printable ASCII characters (RFC 5803)."""
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client_key).digest(), server_key)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


async def _connect(shard: ShardAccess, deadline: float) -> Connection:
    """Waits for the database, with growing pauses, until the deadline."""
    limits = {"statement_timeout": str(STATEMENT * 1000), "lock_timeout": str(STATEMENT * 1000)}
    options = settings(shard, shard.main) | {"command_timeout": STATEMENT + 5, "server_settings": limits}
    clock = asyncio.get_running_loop().time
    end, pause = clock() + deadline, 0.05
    while True:
        try:
            with server_errors(str(shard.main)):
                return await asyncpg.connect(**options)
        except DatabaseDown as down:
            # A certificate that is refused now is refused until somebody changes something.
            if isinstance(down.__cause__, ssl.SSLCertVerificationError) or clock() + pause > end:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _apply(connection: Connection, migration: Migration) -> None:
    try:
        async with connection.transaction():
            await connection.execute(migration.sql)
            sql = "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)"
            await connection.execute(sql, migration.name, migration.checksum)
    except asyncpg.PostgresError as error:
        raise MigrationError(migration.name, str(error), "correct it; its changes were undone") from error

"""The files and statements of a PostgreSQL server that stands in for an RDS instance. Pure text.

Roles as RDS has them: `rdsadmin` is the superuser that nobody else knows, the master user may make roles and
databases and is no superuser. Source: AWS, "Master user account privileges" and "Understanding PostgreSQL roles and
permissions".
"""

from __future__ import annotations

from collections.abc import Mapping

from local.plane.address import Address
from local.plane.wanted import Database

ADMIN = "rdsadmin"

_SETTINGS: Mapping[str, str] = {
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    # Small enough for a main and replicas beside everything else on one machine.
    "shared_buffers": "16MB",
    "wal_buffers": "1MB",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "autovacuum_max_workers": "1",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "huge_pages": "off",
    # Below the data folder, so that a killed server leaves nothing in the machine's memory.
    "dynamic_shared_memory_type": "mmap",
    # Streaming replication; a replica that is gone for long must not fill the disk.
    "wal_level": "replica",
    "max_wal_senders": "10",
    "max_replication_slots": "10",
    "max_slot_wal_keep_size": "256MB",
    "wal_receiver_timeout": "10s",
    "wal_retrieve_retry_interval": "500ms",
    "log_min_messages": "warning",
}


def configuration(database: Database, hba: str, upstream: str | None, certificate: tuple[str, str] | None) -> str:
    """`postgresql.conf`.

    Args:
        database: what to serve.
        hba: path of `pg_hba.conf`.
        upstream: connection string of the main, for a replica.
        certificate: paths of certificate and key, where the server can speak TLS.
    """
    settings = {
        **_SETTINGS,
        "listen_addresses": database.address.host,
        "port": str(database.address.port),
        "hba_file": hba,
    }
    if upstream is not None:
        settings |= {"primary_conninfo": upstream, "primary_slot_name": slot(database)}
    if certificate is not None:
        settings |= {"ssl": "on", "ssl_cert_file": certificate[0], "ssl_key_file": certificate[1]}
    return "".join(f"{name} = {literal(value)}\n" for name, value in settings.items())


def client_authentication() -> str:
    """`pg_hba.conf`: passwords for everybody, from this machine."""
    return "host all all 127.0.0.0/8 scram-sha-256\nhost replication rdsadmin 127.0.0.0/8 scram-sha-256\n"


def upstream(main: Address, passfile: str, replica: Database) -> str:
    """How a replica reaches its main; the password stays in the file."""
    parts = {
        "host": main.host,
        "port": str(main.port),
        "user": ADMIN,
        "passfile": passfile,
        "application_name": replica.identifier,
        "connect_timeout": "5",
    }
    return " ".join(f"{name}={_quoted(value)}" for name, value in parts.items())


def bootstrap(database: Database, admin_password: str) -> str:
    """What a new main is told in single-user mode: roles, and the database."""
    statements = [
        f"ALTER ROLE {ADMIN} PASSWORD {literal(admin_password)}",
        "CREATE ROLE rds_superuser NOLOGIN",
        "GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION",
        f"CREATE ROLE {identifier(database.username)} LOGIN CREATEROLE CREATEDB IN ROLE rds_superuser"
        f" PASSWORD {literal(database.password)}",
    ]
    if database.database:
        name, owner = identifier(database.database), identifier(database.username)
        statements.append(f"CREATE DATABASE {name} OWNER {owner}")
    return "".join(f"{statement};\n\n" for statement in statements)


def become_main(database: Database) -> str:
    """Ends recovery, if this was a replica, and gives the master user the password that AWS knows."""
    return (
        "SELECT pg_promote() WHERE pg_is_in_recovery();\n"
        f"ALTER ROLE {identifier(database.username)} PASSWORD {literal(database.password)};\n"
    )


def make_slot(replica: Database) -> str:
    """Makes the replica's slot on the main, unless it is there."""
    name = literal(slot(replica))
    return (
        f"SELECT pg_create_physical_replication_slot({name}, true)"  # noqa: S608  a literal
        f" WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = {name});\n"
    )


def drop_slot(replica: Database) -> str:
    """Drops the replica's slot on the main, if it is there."""
    name = literal(slot(replica))
    return f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {name};\n"  # noqa: S608  a literal


def slot(replica: Database) -> str:
    return "replica_" + replica.identifier.lower().replace("-", "_")


def passfile(password: str) -> str:
    """A password file for `rdsadmin` on every server of the run."""
    return f"*:*:*:{ADMIN}:{password}\n"


def literal(text: str) -> str:
    """A string constant of SQL and of `postgresql.conf`, standard-conforming: only the quote is special."""
    if "\0" in text or "\n" in text:
        raise ValueError("a value must be one line without NUL")
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

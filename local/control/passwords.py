"""The passwords of stores, as the data plane needs them to start real servers; AWS never tells them."""

from __future__ import annotations

from typing import Any

from moto.elasticache.models import elasticache_backends
from moto.rds.models import rds_backends


def all_passwords() -> dict[str, Any]:
    """Databases and replication groups by id, as docs/architecture.md shows them; read under the cloud's lock."""
    return {
        "rds": {
            identifier: {
                "username": instance.master_username,
                "password": getattr(instance, "_master_user_password", None),
                "database": instance.db_name,
            }
            for account in rds_backends.values()
            for backend in account.values()
            for identifier, instance in backend.databases.items()
        },
        "elasticache": {
            identifier: _users(backend, group)
            for account in elasticache_backends.values()
            for backend in account.values()
            for identifier, group in backend.replication_groups.items()
        },
    }


def _users(backend: Any, group: Any) -> list[dict[str, Any]]:
    ids = [user_id for name in group.user_group_ids for user_id in backend.user_groups[name].user_ids]
    users = [backend.users[user_id] for user_id in ids]
    return [{"username": user.name, "passwords": user.passwords, "access": user.access_string} for user in users]

"""The settings and users of a Valkey server that stands in for a node of a replication group. Pure text.

Sources: AWS, "Authenticating users with Role-Based Access Control (RBAC)", "Restricted commands"; Valkey, "ACL".
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from goldfleet.errors import LocalCloudError
from local.plane.wanted import StoreNode, StoreUser

INTERNAL_USER = "goldfleet-local"
"""Replicates between the nodes of a group and tells the plane how a node is; may not read a key."""

_INTERNAL_ACCESS = "+psync +replconf +ping +info +acl|load +config|set +replicaof"
_MEMORY = "64mb"
_RESTRICTED = (
    "-acl|setuser -acl|deluser -acl|load -acl|save -bgrewriteaof -bgsave -config -debug -failover -migrate -module"
    " -psync -replconf -replicaof -slaveof -save -shutdown -sync"
)
_APPLIED = frozenset(
    (
        "activedefrag", "activerehashing", "lazyfree-lazy-eviction", "lazyfree-lazy-expire", "lazyfree-lazy-server-del",
        "lazyfree-lazy-user-del", "lfu-decay-time", "lfu-log-factor", "maxclients", "maxmemory-policy",
        "maxmemory-samples", "notify-keyspace-events", "slowlog-log-slower-than", "slowlog-max-len", "tcp-keepalive",
        "timeout",
    )
)  # fmt: skip
"""Parameters that mean the same in a parameter group and in Valkey; the rest describes AWS's machines."""


def parameters(node: StoreNode) -> dict[str, str]:
    """The node's parameters that Valkey takes."""
    return {name: value for name, value in node.parameters if name in _APPLIED and value}


def configuration(node: StoreNode, home: Path, password: str) -> str:
    """`valkey.conf`. Every node keeps an append-only file, so that it can be started anew for a change.

    Args:
        node: what to serve.
        home: folder of the node.
        password: of the internal user.
    """
    settings = {
        "bind": hosts(node),
        "port": str(node.address.port),
        "protected-mode": "no",
        "dir": _quoted(str(home / "data")),
        "aclfile": _quoted(str(home / "users.acl")),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "maxmemory": _MEMORY,
        "repl-diskless-sync-delay": "0",
        "repl-diskless-load": "swapdb",
        "repl-timeout": "10",
        "masteruser": INTERNAL_USER,
        "masterauth": password,
        "loglevel": "notice",
        **parameters(node),
    }
    if node.primary is not None:
        settings["replicaof"] = f"{node.primary.host} {node.primary.port}"
    return "".join(f"{name} {value}\n" for name, value in settings.items())


def hosts(node: StoreNode) -> str:
    """Where it listens, as Valkey's `bind` takes it."""
    return " ".join((node.address.host, node.endpoint.host) if node.endpoint else (node.address.host,))


def promoted(before: StoreNode, node: StoreNode) -> StoreNode:
    """A replica as it is once it has taken over from the primary of its group."""
    return replace(before, primary=None, endpoint=node.endpoint)


def users(node: StoreNode, password: str) -> str:
    """`users.acl`: the group's users without the commands that ElastiCache keeps to itself; `default` is off.

    Raises:
        LocalCloudError: a name or access string would break out of its line.
    """
    lines = ["user default reset off"] if all(user.username != "default" for user in node.users) else []
    lines += [_user(user) for user in node.users]
    lines.append(f"user {INTERNAL_USER} reset on #{_hash(password)} {_INTERNAL_ACCESS}")
    return "".join(f"{line}\n" for line in lines)


def _user(user: StoreUser) -> str:
    for text in (user.username, user.access):
        if not text.isprintable() or not user.username or " " in user.username:
            raise LocalCloudError(
                f"user {user.username!r}", "is no name and access string for an ACL", "mend it in AWS"
            )
    hashes = [f"#{_hash(password)}" for password in user.passwords]
    return " ".join(("user", user.username, "reset", *hashes, user.access, _RESTRICTED))


def changes(before: StoreNode, node: StoreNode) -> Mapping[str, str] | None:
    """The parameters to set in the running server, or None if it must start anew for this change."""
    same = [replace(one, parameters=(), users=(), keeps_data=False) for one in (before, node)]
    if same[0] != same[1] or parameters(before).keys() - parameters(node).keys():
        return None
    return dict(parameters(node).items() - parameters(before).items())


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

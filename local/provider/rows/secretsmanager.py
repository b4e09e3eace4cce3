"""Secrets and their versions."""

from __future__ import annotations

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Row, Tags
from local.provider.tagging import pairs

RECOVERY_DAYS = 30


def _secret(it: Item) -> Values:
    return {"SecretId": it.id}


def _deletion(it: Item) -> Values:
    days = it["recoveryWindowInDays"]
    if days == 0:
        return {**_secret(it), "ForceDeleteWithoutRecovery": True}
    return {**_secret(it), "RecoveryWindowInDays": RECOVERY_DAYS if days is None else days}


SECRET = Row(
    kind="aws:secretsmanager/secret:Secret",
    service="secretsmanager",
    create=Call("create_secret"),
    id="ARN",
    find=Find("describe_secret", _secret),
    forget=lambda found: found.get("DeletedDate") is not None,
    updates=(Call("update_secret", _secret, takes=("description", "kmsKeyId")),),
    own=frozenset({"recoveryWindowInDays", "forceOverwriteReplicaSecret"}),
    unset={"description": ""},
    name=Name(length=512),
    tags=Tags(
        add="tag_resource",
        remove="untag_resource",
        whose=_secret,
        at_create=lambda tags: {"Tags": pairs(tags)},
    ),
    delete=Call("delete_secret", _deletion),
)


def _version(it: Item) -> Values:
    arn, _, version = it.id.partition("|")
    return {"SecretId": arn, "VersionId": version}


SECRET_VERSION = Row(
    kind="aws:secretsmanager/secretVersion:SecretVersion",
    service="secretsmanager",
    create=Call("put_secret_value"),
    id="join('|', [ARN, VersionId])",
    find=Find("get_secret_value", _version),
    reads={"secretArn": "ARN", "secretId": "ARN"},
    secrets=frozenset({"secretString", "secretBinary"}),
)

ROWS = (SECRET, SECRET_VERSION)

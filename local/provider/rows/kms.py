"""Keys and their aliases."""

from __future__ import annotations

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Row, Step, Tags
from local.provider.tagging import pairs

DELETION_DAYS = 30


def _key(it: Item) -> Values:
    return {"KeyId": it.id}


def _rotate(it: Item) -> None:
    if not it.new.get("enableKeyRotation"):
        it.aws.call("kms", "disable_key_rotation", KeyId=it.id)
        return
    days = it.new.get("rotationPeriodInDays")
    it.aws.call("kms", "enable_key_rotation", KeyId=it.id, **({"RotationPeriodInDays": days} if days else {}))


KEY = Row(
    kind="aws:kms/key:Key",
    service="kms",
    create=Call("create_key"),
    id="KeyMetadata.KeyId",
    find=Find("describe_key", _key, "KeyMetadata"),
    forget=lambda found: found["KeyState"] == "PendingDeletion",
    more=(
        Find("get_key_policy", lambda it: {**_key(it), "PolicyName": "default"}, "Policy", "policy"),
        Find("get_key_rotation_status", _key, "@", "rotation"),
    ),
    updates=(
        Call("update_key_description", _key, takes=("description",)),
        Call("put_key_policy", lambda it: {**_key(it), "PolicyName": "default"}, takes=("policy",)),
        Step(("enableKeyRotation", "rotationPeriodInDays"), _rotate),
    ),
    writes={"customerMasterKeySpec": "KeySpec"},
    reads={
        "policy": "policy",
        "enableKeyRotation": "rotation.KeyRotationEnabled",
        "rotationPeriodInDays": "rotation.RotationPeriodInDays",
        "isEnabled": "Enabled",
    },
    json=frozenset({"policy"}),
    own=frozenset({"deletionWindowInDays"}),
    unset={"description": ""},
    tags=Tags(
        add="tag_resource",
        remove="untag_resource",
        whose=_key,
        read=Find("list_resource_tags", _key),
        at_create=lambda tags: {"Tags": pairs(tags, "TagKey", "TagValue")},
        pair=("TagKey", "TagValue"),
    ),
    delete=Call(
        "schedule_key_deletion",
        lambda it: {**_key(it), "PendingWindowInDays": it["deletionWindowInDays"] or DELETION_DAYS},
    ),
)

ALIAS = Row(
    kind="aws:kms/alias:Alias",
    service="kms",
    create=Call("create_alias"),
    id=lambda it: str(it["name"]),
    find=Find("list_aliases", lambda _: {"Limit": 100}, lambda it: f"Aliases[?AliasName=='{it.id}'] | [0]"),
    updates=(Call("update_alias", lambda it: {"AliasName": it.id}, takes=("targetKeyId",)),),
    writes={"name": "AliasName"},
    reads={
        "arn": "AliasArn",
        "targetKeyArn": lambda found, it: it.aws.arn("kms", f"key/{found['TargetKeyId']}"),
    },
    name=Name(length=250),
    delete=Call("delete_alias", lambda it: {"AliasName": it.id}),
)

ROWS = (KEY, ALIAS)

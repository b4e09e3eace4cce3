"""Log groups."""

from __future__ import annotations

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Row, Step, Tags


def _arn(it: Item) -> Values:
    return {"resourceArn": it.aws.arn("logs", f"log-group:{it.id}")}


def _retain(it: Item) -> None:
    if it.new.get("retentionInDays"):
        it.aws.call("logs", "put_retention_policy", logGroupName=it.id, retentionInDays=it.new["retentionInDays"])
    else:
        it.aws.call("logs", "delete_retention_policy", logGroupName=it.id)


def _encrypt(it: Item) -> None:
    if it.new.get("kmsKeyId"):
        it.aws.call("logs", "associate_kms_key", logGroupName=it.id, kmsKeyId=it.new["kmsKeyId"])
    else:
        it.aws.call("logs", "disassociate_kms_key", logGroupName=it.id)


LOG_GROUP = Row(
    kind="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    create=Call("create_log_group"),
    id=lambda it: str(it["name"]),
    find=Find(
        "describe_log_groups",
        lambda it: {"logGroupNamePrefix": it.id},
        lambda it: f"logGroups[?logGroupName=='{it.id}'] | [0]",
    ),
    updates=(Step(("retentionInDays",), _retain), Step(("kmsKeyId",), _encrypt)),
    writes={"name": "logGroupName"},
    reads={"arn": lambda _found, it: _arn(it)["resourceArn"]},
    name=Name(length=512),
    tags=Tags(
        add="tag_resource",
        remove="untag_resource",
        whose=_arn,
        read=Find("list_tags_for_resource", _arn),
        at_create=lambda tags: {"tags": dict(tags)},
        path="tags",
        member="tags",
        keys="tagKeys",
        pair=None,
    ),
    delete=Call("delete_log_group", lambda it: {"logGroupName": it.id}),
)

ROWS = (LOG_GROUP,)

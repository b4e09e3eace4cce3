"""Parameters."""

from __future__ import annotations

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Name, Row, Tags
from local.provider.tagging import pairs


def _resource(it: Item) -> Values:
    return {"ResourceType": "Parameter", "ResourceId": it.id}


def _described(it: Item) -> Values:
    return {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [it.id]}]}


PARAMETER = Row(
    kind="aws:ssm/parameter:Parameter",
    service="ssm",
    create=Call("put_parameter"),
    id=lambda it: str(it["name"]),
    find=Find("get_parameter", lambda it: {"Name": it.id, "WithDecryption": True}, "Parameter"),
    more=(Find("describe_parameters", _described, "Parameters[0]", "description"),),
    updates=(Call("put_parameter", lambda it: {"Name": it.id, "Overwrite": True}, without=("overwrite",), whole=True),),
    reads={
        "allowedPattern": "description.AllowedPattern",
        "arn": "ARN",
        "description": "description.Description",
        "keyId": "description.KeyId",
        "tier": "description.Tier",
    },
    volatile=("version",),
    name=Name(length=1011),
    secrets=frozenset({"value"}),
    tags=Tags(
        add="add_tags_to_resource",
        remove="remove_tags_from_resource",
        whose=_resource,
        read=Find("list_tags_for_resource", _resource),
        at_create=lambda tags: {"Tags": pairs(tags)},
        path="TagList",
    ),
    delete=Call("delete_parameter", lambda it: {"Name": it.id}),
)

ROWS = (PARAMETER,)

"""Topics, their policies and subscriptions."""

from __future__ import annotations

import json
from typing import Any

from goldfleet.servicer import Values
from local.provider.row import Call, Find, Item, Make, Name, Row, Step
from local.provider.tagging import arn_tags

# Input -> attribute of a topic.
_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}


def _topic(it: Item) -> Values:
    return {"TopicArn": it.id}


def _set(it: Item, name: str, value: Any) -> None:
    it.aws.call("sns", "set_topic_attributes", TopicArn=it.id, AttributeName=name, AttributeValue=str(value))


def _set_attributes(it: Item) -> None:
    for name in sorted(it.changed or it.new):
        if name in _ATTRIBUTES:
            _set(it, _ATTRIBUTES[name], it.new.get(name, ""))


TOPIC = Row(
    kind="aws:sns/topic:Topic",
    service="sns",
    create=Call("create_topic"),
    id="TopicArn",
    find=Find("get_topic_attributes", _topic, "Attributes"),
    updates=(Step(tuple(_ATTRIBUTES), _set_attributes),),
    reads={"arn": "TopicArn", "name": lambda _found, it: it.id.rpartition(":")[2]},
    json=frozenset({"policy", "deliveryPolicy"}),
    name=Name(length=256),
    tags=arn_tags("tag_resource", lambda it: {"ResourceArn": it.id}, path="Tags"),
    delete=Call("delete_topic", _topic),
)


def _put_policy(it: Item) -> str:
    it.aws.call("sns", "set_topic_attributes", TopicArn=it["arn"], AttributeName="Policy", AttributeValue=it["policy"])
    return str(it["arn"])


def _owner_only(it: Item) -> None:
    """A topic without a policy of ours gets the one that AWS gives to new ones: for its owner only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{it.aws.account_id}:root"},
        "Action": ["sns:Publish", "sns:Subscribe", "sns:GetTopicAttributes", "sns:SetTopicAttributes"],
        "Resource": it.id,
    }
    _set(it, "Policy", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


TOPIC_POLICY = Row(
    kind="aws:sns/topicPolicy:TopicPolicy",
    service="sns",
    create=Make(("arn", "policy"), _put_policy),
    find=Find("get_topic_attributes", _topic, "Attributes"),
    updates=(Step(("policy",), lambda it: _set(it, "Policy", it["policy"])),),
    reads={"arn": "TopicArn"},
    json=frozenset({"policy"}),
    delete=Step((), _owner_only),
)

TOPIC_SUBSCRIPTION = Row(
    kind="aws:sns/topicSubscription:TopicSubscription",
    service="sns",
    create=Call("subscribe", lambda _: {"ReturnSubscriptionArn": True}),
    id="SubscriptionArn",
    find=Find("get_subscription_attributes", lambda it: {"SubscriptionArn": it.id}, "Attributes"),
    writes={"topic": "TopicArn"},
    reads={"arn": "SubscriptionArn"},
    delete=Call("unsubscribe", lambda it: {"SubscriptionArn": it.id}),
)

ROWS = (TOPIC, TOPIC_POLICY, TOPIC_SUBSCRIPTION)

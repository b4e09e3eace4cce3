"""Where alarms go: a topic under a key of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from goldfleet.contract.names import Names
from infra import policies
from infra.key import EncryptionKey, EncryptionKeyArgs


@dataclass(frozen=True)
class TopicArgs:
    """Who hears it.

    Args:
        names: names of the stack.
        account_id: the account whose services publish.
        email: an address that is sent everything, or None.
    """

    names: Names
    account_id: str
    email: str | None


class Topic(pulumi.ComponentResource):
    """The topic; `arn` is known once publishers are allowed."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: TopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("goldfleet:infra:Topic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        label = args.names.of("alarms")
        key = EncryptionKey(
            f"{name}-key", EncryptionKeyArgs(label, "The alarm topic", policies.topic_key(args.account_id)), child
        )
        topic = aws.sns.Topic(f"{name}-topic", name=label, kms_master_key_id=key.arn, opts=child)
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=topic.arn.apply(lambda arn: json.dumps(policies.topic(arn, args.account_id))),
            opts=child,
        )
        if args.email is not None:
            aws.sns.TopicSubscription(
                f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.email, opts=child
            )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})

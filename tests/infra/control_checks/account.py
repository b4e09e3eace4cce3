"""Checks of buckets, roles, keys, secrets, alarms and topics."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.infra.control_checks.reading import Checks, all_of, documents, template
from tests.infra.recorder import Resources

CHECKS = Checks()


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@CHECKS.reads("S3.2", "S3.3", "S3.6")
def only_services_may_use_the_bucket(resources: Resources) -> None:
    for statement in documents(resources, "BucketPolicy"):
        if statement["Effect"] == "Allow":
            assert list(statement["Principal"]) == ["Service"]
            assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]
            assert statement["Action"] == "s3:PutObject"


@CHECKS.reads("S3.5")
def buckets_demand_tls(resources: Resources) -> None:
    denied = [s for s in documents(resources, "BucketPolicy") if s["Effect"] == "Deny" and s["Action"] == "s3:*"]
    assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    assert len(denied) == len(resources.of("aws:s3/bucket:Bucket"))


@CHECKS.reads("S3.8")
def public_access_is_blocked(resources: Resources) -> None:
    all_of(
        resources,
        "BucketPublicAccessBlock",
        blockPublicAcls=True,
        blockPublicPolicy=True,
        ignorePublicAcls=True,
        restrictPublicBuckets=True,
    )


@CHECKS.reads("S3.12")
def acls_are_disabled(resources: Resources) -> None:
    all_of(resources, "BucketOwnershipControls", rule={"objectOwnership": "BucketOwnerEnforced"})


@CHECKS.reads("S3.13")
def logs_expire(resources: Resources) -> None:
    [rule] = resources.one("BucketLifecycleConfiguration").inputs["rules"]
    assert (rule["status"], rule["expiration"]) == ("Enabled", {"days": 90})


@CHECKS.reads("S3.14")
def buckets_have_versions(resources: Resources) -> None:
    all_of(resources, "BucketVersioning", versioningConfiguration={"status": "Enabled"})


@CHECKS.reads("IAM.1", "IAM.21", "KMS.1", "KMS.2")
def no_role_may_everything(resources: Resources) -> None:
    statements = list(documents(resources, "RolePolicy"))
    assert statements
    for statement in statements:
        assert "*" not in as_list(statement["Resource"]), statement
        assert not any(action.endswith(":*") or action == "*" for action in as_list(statement["Action"]))
        assert not any("key/*" in resource for resource in as_list(statement["Resource"]))


@CHECKS.reads("IAM.2", "IAM.3", "IAM.4", "IAM.5", "IAM.8")
def no_users(resources: Resources) -> None:
    assert not [one for one in resources if one.type.startswith(("aws:iam/user", "aws:iam/accessKey"))]


@CHECKS.reads("KMS.3", "KMS.4")
def keys_rotate_and_can_be_had_back(resources: Resources) -> None:
    all_of(resources, "aws:kms/key:Key", enableKeyRotation=True, deletionWindowInDays=30)


@CHECKS.reads("KMS.5")
def keys_are_not_public(resources: Resources) -> None:
    for statement in documents(resources, "aws:kms/key:Key"):
        assert "*" not in str(statement["Principal"])


@CHECKS.reads("SecretsManager.3")
def every_secret_is_read_by_clones(resources: Resources) -> None:
    told = json.loads(base64.b64decode(template(resources)["userData"]))
    named = [told["sessions"]["secret"], told["cache"]["secret"], *told["app_secrets"].values()]
    named += [shard[role] for shard in told["shards"] for role in ("owner_secret", "app_secret")]
    assert len(set(named)) == len(resources.of("aws:secretsmanager/secret:Secret"))


@CHECKS.reads("CloudWatch.15", "CloudWatch.17")
def alarms_tell_the_topic(resources: Resources) -> None:
    all_of(resources, "MetricAlarm", alarmActions=["arn:aws:mock:::alarms-topic-topic"], actionsEnabled=True)


@CHECKS.reads("CloudWatch.16")
def logs_are_kept_a_year(resources: Resources) -> None:
    assert all(one.inputs["retentionInDays"] >= 365 for one in resources.of("LogGroup"))


@CHECKS.reads("SNS.1")
def the_topic_is_encrypted(resources: Resources) -> None:
    all_of(resources, "Topic", kmsMasterKeyId="arn:aws:mock:::alarms-topic-key-key")


@CHECKS.reads("SNS.4")
def only_services_of_the_account_publish(resources: Resources) -> None:
    for statement in documents(resources, "TopicPolicy"):
        assert list(statement["Principal"]) == ["Service"]
        assert "aws:SourceAccount" in statement["Condition"]["StringEquals"]

"""Policy documents, as pure functions: who may do what to which resource.

Sources: AWS, "Actions, resources, and condition keys" of each service; "Enable access logs for your Application Load
Balancer"; "Encrypt log data in CloudWatch Logs using AWS KMS"; "Publish flow logs to CloudWatch Logs".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Policy = dict[str, Any]


def _document(*statements: Mapping[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def assume_role(service: str, account_id: str | None = None) -> Policy:
    """Lets an AWS service take the role; with `account_id` only on behalf of that account."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if account_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account_id}}
    return _document(statement)


def _owned_by(account_id: str) -> dict[str, Any]:
    return {
        "Sid": "AccountAdministers",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }


def data_key(account_id: str, region: str) -> Policy:
    """Key policy of the stack's data key: the account administers it, CloudWatch Logs encrypts log groups with it."""
    return _document(
        _owned_by(account_id),
        {
            "Sid": "LogGroups",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{region}.amazonaws.com"},
            "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            "Resource": "*",
            "Condition": {
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account_id}:log-group:*"}
            },
        },
    )


def topic_key(account_id: str) -> Policy:
    """Key policy of the alarm topic's key: those who publish to the topic may use it.

    Alarms cannot publish to a topic under the AWS managed key `alias/aws/sns`.
    """
    return _document(
        _owned_by(account_id),
        {
            "Sid": "Publishers",
            "Effect": "Allow",
            "Principal": {"Service": list(_TOPIC_PUBLISHERS)},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
        },
    )


_TOPIC_PUBLISHERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.rds.amazonaws.com")


def topic(topic_arn: str, account_id: str) -> Policy:
    """Topic policy: alarms, the budget and RDS events of this account publish, nobody else."""
    return _document(
        {
            "Sid": "Publishers",
            "Effect": "Allow",
            "Principal": {"Service": list(_TOPIC_PUBLISHERS)},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
        }
    )


def access_log_bucket(bucket_arn: str, account_id: str) -> Policy:
    """Bucket policy: load balancers of this account deliver logs, and everybody else comes over TLS only."""
    return _document(
        {
            "Sid": "Delivery",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn}/AWSLogs/{account_id}/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
        },
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def flow_log_writer(log_group_arn: str) -> Policy:
    """What the VPC's flow log needs to write to its log group."""
    return _document(
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
            ],
            "Resource": [log_group_arn, f"{log_group_arn}:*"],
        }
    )


def clone(
    *, secret_arns: Sequence[str], parameter_arns: Sequence[str], log_group_arn: str, key_arn: str, region: str
) -> Policy:
    """What a clone may do: read its secrets and parameters, write its log.

    Args:
        secret_arns: secrets that its user data names.
        parameter_arns: SSM parameters that its user data names.
        log_group_arn: where its lines go.
        key_arn: the key that the secrets are encrypted with.
        region: where Secrets Manager may use that key for it.
    """
    return _document(
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": sorted(secret_arns)},
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key_arn,
            "Condition": {"StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"}},
        },
        {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": sorted(parameter_arns)},
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{log_group_arn}:*",
        },
    )

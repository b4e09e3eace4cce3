"""The two providers that everything is made with, bound to the settings' account and region."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from goldfleet.aws_session import DUMMY_ACCESS_KEY, DUMMY_SECRET_KEY
from goldfleet.contract.names import Names
from infra.provider import resources
from infra.settings.aws import Aws

SERVICES = (
    "acm",
    "autoscaling",
    "budgets",
    "cloudwatch",
    "ec2",
    "elasticache",
    "elbv2",
    "iam",
    "kms",
    "logs",
    "rds",
    "route53",
    "s3",
    "secretsmanager",
    "sns",
    "ssm",
    "sts",
)
"""Every AWS service that the program calls, as the provider's setting `endpoints` names it."""


def providers(settings: Aws, names: Names) -> list[pulumi.ProviderResource]:
    """AWS's provider and our own, both bound to the stack's account and region.

    Args:
        settings: which AWS.
        names: names of the stack, for the tags of every resource.
    """
    aws_provider = aws.Provider(
        "aws",
        region=settings.region,
        allowed_account_ids=[settings.account_id],
        profile=settings.profile,
        default_tags={"tags": names.tags},
        **(_local(settings.endpoint) if settings.endpoint else {}),
    )
    own_provider = resources.Provider(
        "goldfleet",
        region=settings.region,
        account_id=settings.account_id,
        endpoint=settings.endpoint,
        profile=settings.profile,
    )
    return [aws_provider, own_provider]


def _local(endpoint: str) -> dict[str, Any]:
    """All calls go to one local control plane, with keys that open nothing else."""
    return {
        "access_key": DUMMY_ACCESS_KEY,
        "secret_key": DUMMY_SECRET_KEY,
        "endpoints": [dict.fromkeys(SERVICES, endpoint)],
        "s3_use_path_style": True,
        "skip_metadata_api_check": True,
        "skip_region_validation": True,
    }

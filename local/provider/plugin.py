"""The plugin `aws`: every row as a resource type."""

from __future__ import annotations

from goldfleet.errors import GuardRefused
from goldfleet.servicer import Provider, Values
from local.provider.aws import Aws
from local.provider.guard import WAY_OUT, WHERE, configured
from local.provider.resource import RowResource
from local.provider.row import Row
from local.provider.rows import (
    acm,
    autoscaling,
    budgets,
    cloudwatch,
    ec2,
    ec2_routes,
    ec2_security,
    ec2_template,
    elasticache,
    elbv2,
    iam,
    kms,
    logs,
    rds,
    route53,
    s3,
    secretsmanager,
    sns,
    ssm,
)
from local.provider.schema import schemas

VERSION = "7.51.1"
"""The release of pulumi-aws whose types the rows follow."""

ROWS: tuple[Row, ...] = (
    *acm.ROWS,
    *autoscaling.ROWS,
    *budgets.ROWS,
    *cloudwatch.ROWS,
    *ec2.ROWS,
    *ec2_routes.ROWS,
    *ec2_security.ROWS,
    *ec2_template.ROWS,
    *elasticache.ROWS,
    *elbv2.ROWS,
    *iam.ROWS,
    *kms.ROWS,
    *logs.ROWS,
    *rds.ROWS,
    *route53.ROWS,
    *s3.ROWS,
    *secretsmanager.ROWS,
    *sns.ROWS,
    *ssm.ROWS,
)


class _Connection:
    """Where AWS answers, once the engine has said so."""

    aws: Aws | None = None

    def configure(self, config: Values) -> None:
        self.aws = configured(config)

    def __call__(self) -> Aws:
        if self.aws is None:
            raise GuardRefused(WHERE, "is not configured", WAY_OUT)
        return self.aws


def aws_provider() -> Provider:
    """The provider, not yet configured."""
    connection, known = _Connection(), schemas()
    resources = {row.kind: RowResource(row, known[row.kind], connection) for row in ROWS}
    return Provider("aws", VERSION, resources, configure=connection.configure)

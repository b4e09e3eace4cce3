"""IAM: AWS's managed policies exist in the partition `aws` only, so that four other copies need not be loaded."""

from __future__ import annotations

from moto.iam.models import IAMBackend, ManagedPolicy, iam_backends

from local.control.extend import use_backend


class Iam(IAMBackend):
    def _init_aws_policies(self) -> list[ManagedPolicy]:
        return super()._init_aws_policies() if self.region_name == "aws" else []


def install() -> None:
    """Puts this file in moto's place."""
    use_backend(iam_backends, Iam)

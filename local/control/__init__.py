"""The local control plane: moto in AWS's place, and what moto lacks.

moto reads its switches when it is imported, so they are set here, before anything of this package can import it.
They make moto as strict as it can be: unknown images and instance types are refused, managed policies exist,
certificates are issued after one second.
"""

from __future__ import annotations

import os

os.environ.update(
    MOTO_ENABLE_AMI_VALIDATION="true",
    MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="true",
    MOTO_EC2_LOAD_DEFAULT_AMIS="false",
    MOTO_IAM_LOAD_MANAGED_POLICIES="true",
    MOTO_ACM_VALIDATION_WAIT="1",
    MOTO_DISABLE_GLOBAL_CORS="true",
)

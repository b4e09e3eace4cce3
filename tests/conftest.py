"""No test ever sees the credentials or the AWS settings of the person who runs it."""

from __future__ import annotations

import os

for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_", "GOLDFLEET_"))]:
    del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

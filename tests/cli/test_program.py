from __future__ import annotations

import subprocess
import sys

from goldfleet.cli.checkout import CHECKOUT

# A process of its own: what one test imports stays imported.
LOADED = """
import sys, types
from goldfleet.cli.program import Program
Program()._main.result()
import pulumi_aws
print(sorted(name for name, module in vars(pulumi_aws).items() if type(module) is types.ModuleType))
"""


def test_the_services_of_the_program_are_loaded_and_no_others() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=CHECKOUT, capture_output=True, text=True, timeout=110, check=True
    )
    for service in ("ec2", "rds", "elasticache", "autoscaling", "lb"):
        assert f"'{service}'" in done.stdout
    assert "'sagemaker'" not in done.stdout

"""The executables that the engine starts: from anywhere, with any PATH."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[3] / "local" / "provider" / "plugins"


@pytest.mark.parametrize("name", ["aws", "random"])
def test_a_plugin_tells_its_port(name: str, tmp_path: Path) -> None:
    command = PLUGINS / name / f"pulumi-resource-{name}"
    environment = {"GOLDFLEET_PYTHON": sys.executable, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen([command], stdout=subprocess.PIPE, env=environment, cwd=tmp_path, text=True) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.terminate()

"""Fixtures of the command: a folder with one stack's settings, and programs that stand in for real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SETTINGS = """\
# Who owns this stack.
config:
  goldfleet:aws:
    account_id: "123456789012"  # twelve digits
    region: eu-central-1
  goldfleet:image: {release: working-tree, layers: [app]}
  goldfleet:balancer: {plain_http: true, port: 8080}
  goldfleet:fleet:
    # The one number that `goldfleet scale` moves.
    desired: 2
    min: 1
    max: 6
"""


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """A folder with the settings of the stack `dev`."""
    (tmp_path / "Pulumi.dev.yaml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str, str], Path]:
    """`script(name, body)`: an executable shell script in a folder of its own."""

    def write(name: str, body: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write

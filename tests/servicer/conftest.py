"""The real engine with the provider of `plugin/notes.py`."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.automation import EngineEvent

from goldfleet.cli.checkout import cache_folder
from goldfleet.cli.engine import Engine
from goldfleet.cli.local_project import LocalProject
from goldfleet.cli.pulumi_finder import find_pulumi

CHECKOUT = Path(__file__).parents[2]


class Note(pulumi.CustomResource):
    path: pulumi.Output[str]

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **properties: Any) -> None:
        super().__init__("notes:index:Note", name, {"path": None, **properties}, opts)


@dataclass(frozen=True)
class Desk:
    """Runs programs that write notes."""

    project: LocalProject
    notes: Path
    note: type[Note] = Note

    def engine(self, program: Callable[[], None]) -> Engine:
        project = self.project.write("test", {}, program)
        environment = {
            **project.environment,
            "NOTES": str(self.notes),
            "PYTHONPATH": str(CHECKOUT),
            "GOLDFLEET_PYTHON": sys.executable,
        }
        return Engine(replace(project, environment=environment))

    def written(self) -> dict[str, Any]:
        """What the notes hold, by name."""
        return {path.stem: json.loads(path.read_text()) for path in self.notes.glob("*.json")}

    def state(self) -> str:
        """The state as the backend keeps it."""
        return (self.project.state / ".pulumi" / "stacks" / "notes" / "test.json").read_text()


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A folder with the executable `pulumi-resource-notes`."""
    script = tmp_path / "plugin" / "pulumi-resource-notes"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).parent}/plugin/notes.py" "$@"\n')
    script.chmod(0o755)
    return script.parent


@pytest.fixture
def desk(tmp_path: Path, plugin: Path) -> Desk:
    notes = tmp_path / "notes"
    notes.mkdir()
    pulumi_cli = find_pulumi(cache_folder(), lambda _: None)
    project = LocalProject("notes", tmp_path / "project", tmp_path / "state", {"notes": plugin}, pulumi_cli)
    return Desk(project, notes)


@pytest.fixture
def interrupt() -> Callable[[EngineEvent], None]:
    """Observes an update, and interrupts this process, as Ctrl-C does, when a resource starts to wait."""

    def observe(event: EngineEvent) -> None:
        if event.diagnostic_event and "waiting until" in event.diagnostic_event.message:
            os.kill(os.getpid(), signal.SIGINT)

    return observe

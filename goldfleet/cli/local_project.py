"""The Pulumi project of a local run: its own settings, state and plugin paths, apart from the checkout's files."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from goldfleet.cli.engine import Project, local_environment
from goldfleet.cli.settings_file import NAMESPACE

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class LocalProject:
    """Where a local run keeps its project, and with what it runs.

    Args:
        name: the project's name.
        folder: gets `Pulumi.yaml` and `Pulumi.<stack>.yaml`.
        state: folder of the file backend, of the passphrase (mode 0600) and of PULUMI_HOME.
        plugins: provider's name -> folder with its `pulumi-resource-NAME`.
        pulumi: the Pulumi CLI.
    """

    name: str
    folder: Path
    state: Path
    plugins: Mapping[str, Path]
    pulumi: Path

    def write(self, stack: str, settings: Settings, program: Callable[[], None]) -> Project:
        """Writes the files and returns what `Engine` takes.

        Args:
            stack: name of the stack.
            settings: `{component: {...}}`, `aws.endpoint` included.
            program: declares the resources.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state.mkdir(parents=True, exist_ok=True)
        project = {
            "name": self.name,
            "runtime": "python",
            "backend": {"url": f"file://{self.state}"},
            "plugins": {"providers": [{"name": name, "path": str(path)} for name, path in self.plugins.items()]},
        }
        _write(self.folder / "Pulumi.yaml", project)
        stack_file = self.folder / f"Pulumi.{stack}.yaml"
        config = {f"{NAMESPACE}:{component}": dict(values) for component, values in settings.items()}
        _write(stack_file, {**_salt(stack_file), "config": config})
        environment = local_environment(self.state / "home", _passphrase(self.state / "passphrase"))
        return Project(self.folder, stack, program, self.pulumi, environment, self.state)


def _salt(stack_file: Path) -> dict[str, str]:
    """The salt that the engine wrote into the file when it made the stack: the state's secrets are lost without it."""
    if not stack_file.exists():
        return {}
    written = yaml.safe_load(stack_file.read_text()) or {}
    return {key: written[key] for key in ("encryptionsalt",) if key in written}


def _passphrase(path: Path) -> Path:
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
    return path


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(content), sort_keys=False))

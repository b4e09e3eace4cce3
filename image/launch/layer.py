"""The app layer as a clone sees it, and how Python is started in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from goldfleet.contract import service
from goldfleet.errors import ContractError


@dataclass(frozen=True)
class AppLayer:
    """An unpacked or mounted app layer."""

    root: Path
    release: str

    @classmethod
    def open(cls, root: Path) -> AppLayer:
        """Reads the manifest.

        Raises:
            ContractError: there is none, or it was made for another Python.
        """
        path = root / service.LAYER_MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            release, runtime = str(manifest["release"]), str(manifest["runtime"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ContractError(str(path), f"unreadable ({error})", "give the root of an app layer") from error
        here = f"python{sys.version_info.major}.{sys.version_info.minor}"
        if runtime != here:
            raise ContractError(str(path), f"the layer needs {runtime}, this is {here}", "bake it for this Python")
        return cls(root.resolve(), release)

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Runs Python in the layer: its packages and the standard library, nothing else that is installed here.

        -S leaves out site-packages and virtual environments, -P the working directory, -B writes no bytecode.
        """
        return [sys._base_executable, "-S", "-P", "-B", *arguments]  # type: ignore[attr-defined]

    def variables(self, own: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a process in the layer: `own`, and what Python needs; nothing is inherited."""
        path = os.pathsep.join((str(self.root), str(self.root / service.LAYER_SITE_PACKAGES)))
        return {**own, "PYTHONPATH": path, "PATH": os.defpath, "LANG": "C.UTF-8"}

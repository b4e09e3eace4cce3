"""`Pulumi.<stack>.yaml`: read, and changed one value at a time with its comments kept.

A change is checked as a whole before a byte is written, and written atomically.
"""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from goldfleet.errors import SettingsError
from infra import settings
from infra.settings import Settings

NAMESPACE = "goldfleet"
_PREFIX = f"{NAMESPACE}:"
WAY_OUT = "put it right (docs/settings.md), or take the last one that worked from git"


class SettingsFile:
    """The settings of one stack.

    Args:
        folder: holds the stacks' files.
        stack: name of the stack.
        endpoint: added to what is read as `aws.endpoint`, never written.

    Raises:
        SettingsError: there is no such file, or it is not readable as settings.
    """

    def __init__(self, folder: Path, stack: str, endpoint: str | None = None) -> None:
        self.stack = stack
        self.path = folder / f"Pulumi.{stack}.yaml"
        self._endpoint = endpoint
        self._yaml = YAML()
        self._yaml.preserve_quotes = True
        self._yaml.width = 120
        self._document = self._read()

    def raw(self) -> dict[str, dict[str, Any]]:
        """`{component: {...}}`, as `infra.settings.load` takes it."""
        config = self._parsed(YAML(typ="safe", pure=True))["config"]
        raw = {key.removeprefix(_PREFIX): value for key, value in config.items() if str(key).startswith(_PREFIX)}
        aws = raw.get("aws", {})
        if self._endpoint and isinstance(aws, dict):
            raw["aws"] = {**aws, "endpoint": self._endpoint}
        return raw

    def load(self) -> Settings:
        """The checked settings.

        Raises:
            SettingsError: a rule is broken.
        """
        return settings.load(self.stack, self.raw())

    def change(self, component: str, key: str, value: Any) -> Settings:
        """Sets one value, and returns the settings with it. An invalid one changes nothing.

        Raises:
            SettingsError: a rule would be broken.
        """
        raw = self.raw()
        raw.setdefault(component, {})[key] = value
        checked = settings.load(self.stack, raw)
        self._document["config"].setdefault(_PREFIX + component, {})[key] = value
        text = StringIO()
        self._yaml.dump(self._document, text)
        _replace(self.path, text.getvalue())
        return checked

    def _read(self) -> Any:
        if not self.path.exists():
            known = ", ".join(sorted(path.name.split(".")[1] for path in self.path.parent.glob("Pulumi.*.yaml")))
            raise SettingsError(
                f"stack {self.stack}",
                f"there is no {self.path.name}",
                f"name one of {known} with -s, or write it",
            )
        self._parsed(YAML(typ="safe", pure=True))  # which also refuses tags
        return self._parsed(self._yaml)

    def _parsed(self, yaml: YAML) -> Any:
        try:
            document = yaml.load(self.path.read_text())
        except (YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(self.path.name, f"not readable as YAML ({_reason(error)})", WAY_OUT) from error
        except OSError as error:
            raise SettingsError(self.path.name, f"cannot be read ({error.strerror})", WAY_OUT) from error
        if not isinstance(document, dict) or not isinstance(document.get("config"), dict):
            raise SettingsError(self.path.name, "must be a mapping with the mapping `config` in it", WAY_OUT)
        return document


def _reason(error: Exception) -> str:
    """What is wrong and where, on one line."""
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {' '.join(str(error.problem).split())}"
    return " ".join(str(error).split())


def _replace(path: Path, text: str) -> None:
    """Writes the file whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.chmod(path.stat().st_mode)
    fresh.replace(path)

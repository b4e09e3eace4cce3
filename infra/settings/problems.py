"""Pydantic's findings in the words of this project: path, rule, way out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from goldfleet.errors import SettingsError

SETTINGS_PAGE = "docs/settings.md"

_TYPES: Mapping[str, str] = {
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text (put it in quotes)",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of names to values",
    "model_type": "must be a mapping of keys to values",
}


def described(finding: Mapping[str, Any], model: type[BaseModel]) -> SettingsError:
    """One of pydantic's findings as an error of ours.

    Args:
        finding: an entry of `ValidationError.errors()`.
        model: the model that was checked.
    """
    path: Sequence[str | int] = finding["loc"]
    where = ".".join(str(part) for part in path)
    if finding["type"] == "extra_forbidden":
        return _unknown_key(where, path, model)
    if finding["type"] == "missing":
        return SettingsError(where, "is required", _way_out(path, model))
    given = repr(finding["input"])
    rule = _TYPES.get(finding["type"]) or finding["msg"].replace("Input should be", "must be")
    return SettingsError(where, f"{rule}, not {given[:80]}", _way_out(path, model))


def _unknown_key(where: str, path: Sequence[str | int], model: type[BaseModel]) -> SettingsError:
    owner = _model_at(path[:-1], model)
    known = sorted(owner.model_fields) if owner else []
    close = difflib.get_close_matches(str(path[-1]), known, n=1)
    way_out = f"did you mean {close[0]}?" if close else f"known keys are {', '.join(known)}"
    return SettingsError(where, "unknown key", way_out)


def _model_at(path: Sequence[str | int], model: type[BaseModel]) -> type[BaseModel] | None:
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return None
        model = field.annotation
    return model


def _way_out(path: Sequence[str | int], model: type[BaseModel]) -> str:
    """What the key is for, from its description."""
    owner = _model_at(path[:1], model) if len(path) > 1 else None
    field = owner.model_fields.get(str(path[1])) if owner else None
    if field is None or field.description is None:
        return f"see {SETTINGS_PAGE}"
    return f"{field.description.rstrip('.')} (see {SETTINGS_PAGE})"

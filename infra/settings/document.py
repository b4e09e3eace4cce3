"""Writes `docs/settings.md` from the models: `python -m infra.settings.document`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.settings.base import Component
from infra.settings.rules import RULES
from infra.settings.settings import LENIENT_STACKS, Components

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"

_HEAD = f"""# Settings

Written by `python -m infra.settings.document`; do not edit.

`Pulumi.<stack>.yaml` holds one value per component, `goldfleet:<component>: {{key: value}}`. Unknown keys, wrong types
and broken rules are refused before anything is made. Production's rules hold for every stack but
{" and ".join(f"`{stack}`" for stack in sorted(LENIENT_STACKS))}.
"""


def page() -> str:
    """The whole page."""
    components = [line for name in Components.model_fields for line in _component(name)]
    return "\n".join([_HEAD, *components, *_rules()]) + "\n"


def _component(name: str) -> Iterator[str]:
    model = Components.model_fields[name].annotation
    assert isinstance(model, type)
    assert issubclass(model, Component)
    yield f"## {name}"
    yield ""
    yield model.__doc__ or ""
    yield ""
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in model.model_fields.items():
        yield f"| `{name}.{key}` | {_values(field)} | {_default(field)} | {field.description} |"
    yield ""


def _values(field: FieldInfo) -> str:
    """The type and its bounds."""
    bounds = [
        f"{'above' if isinstance(bound, Gt) else 'from'} {getattr(bound, 'ge', getattr(bound, 'gt', None))}"
        for bound in field.metadata
        if isinstance(bound, Ge | Gt)
    ] + [f"to {bound.le}" for bound in field.metadata if isinstance(bound, Le)]
    return " ".join([_type(field.annotation), *bounds])


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) is list:
        return f"list of {_type(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return "names and texts" if get_args(annotation)[1] is str else "names and lists of texts"
    plain = [choice for choice in get_args(annotation) if choice is not type(None)]
    if plain:
        return _type(plain[0])
    return {int: "whole number", float: "number", str: "text", bool: "true or false"}[annotation]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


def _rules() -> Iterator[str]:
    yield "## Rules"
    yield ""
    yield "Beyond types and bounds, each a function of `infra/settings/rules_*.py`:"
    yield ""
    for rule in RULES:
        yield f"- {rule.__name__.replace('_', ' ')}"


if __name__ == "__main__":
    PAGE.write_text(page())

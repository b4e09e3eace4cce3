"""From `{component: {...}}` to `Settings`, or one error that says everything that is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from goldfleet.errors import SettingsError
from infra.settings.problems import described
from infra.settings.rules import RULES
from infra.settings.settings import Components, Settings


class WrongSettings(SettingsError):
    """One or more settings break a rule.

    Args:
        problems: each rule that is broken; at least one.
    """

    def __init__(self, problems: Sequence[SettingsError]) -> None:
        first = problems[0]
        super().__init__(first.where, first.what, first.way_out)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{problem.where}: {problem.what}; {problem.way_out}" for problem in self.problems)


def load(stack: str, raw: Mapping[str, object]) -> Settings:
    """Checks a stack's settings: first their shape, then every rule.

    Args:
        stack: name of the stack.
        raw: `{component: {...}}`, as `Pulumi.<stack>.yaml` holds it under `goldfleet:<component>`.

    Raises:
        WrongSettings: with every problem on a line of its own.
    """
    try:
        components = Components.model_validate(dict(raw))
    except ValidationError as error:
        raise WrongSettings([described(problem, Components) for problem in error.errors()]) from None
    settings = Settings(stack=stack, **_fields(components))
    problems = [problem for rule in RULES for problem in rule(settings)]
    if problems:
        raise WrongSettings(problems)
    return settings


def _fields(components: Components) -> dict[str, Any]:
    return {name: getattr(components, name) for name in Components.model_fields}

"""How a check reads what the program would make, and names the controls that it is for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.infra.recorder import Resources

Check = Callable[[Resources], None]


class Checks(dict[str, Check]):
    """What reads each control."""

    def reads(self, *controls: str) -> Callable[[Check], Check]:
        """Names the controls that a check reads."""

        def register(check: Check) -> Check:
            self.update(dict.fromkeys(controls, check))
            return check

        return register


def all_of(resources: Resources, type_: str, **expected: Any) -> None:
    """There is one at least, and every one has these inputs."""
    found = resources.of(type_)
    assert found, type_
    for one in found:
        for key, value in expected.items():
            assert one.inputs.get(key) == value, f"{one.name}.{key} = {one.inputs.get(key)!r}"


def template(resources: Resources) -> Mapping[str, Any]:
    return resources.one("LaunchTemplate").inputs


def documents(resources: Resources, *types: str) -> Iterable[dict[str, Any]]:
    """Statements of all policies of these types."""
    for type_ in types:
        for one in resources.of(type_):
            yield from json.loads(one.inputs.get("policy") or one.inputs["assumeRolePolicy"])["Statement"]

"""Writes `docs/environment.md` from the contract: `python -m goldfleet.contract.document`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from goldfleet.contract import clone, environment, service

PAGE = Path(__file__).parents[2] / "docs" / "environment.md"

_HEAD = f"""# What a clone is told, and what a process sees

Written by `python -m goldfleet.contract.document`; do not edit.

The program writes the user data, the launcher reads it. The launcher writes the variables, the app reads nothing else
of ours. Passwords are in neither: user data names secrets, variables name files in memory.

```
infra/user_data.py -> user data -> image/launch -> variables, password files -> app
```

User data is one JSON document of at most {clone.SIZE_LIMIT // 1024} KB, the same for every clone of a launch template
version. A variable is `{environment.PREFIX}` and the field's name in capitals; lists and structures are JSON. The
setting `app.environment` adds variables under names of its own. The migration, which runs before the app, sees the
same variables with the owner's logins in `{environment.PREFIX}SHARDS`. Where the machine has the file
`{service.CA_BUNDLE}`, or the user data names `authorities`, OpenSSL's variable `SSL_CERT_FILE` names a file with the
system's authorities and those two: whom both trust.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_variables(), *_user_data()]) + "\n"


def meanings(kind: type[Any]) -> dict[str, str]:
    """Field -> what it means, from the section `Args:` of the dataclass's docstring."""
    _, _, section = (inspect.getdoc(kind) or "").partition("Args:\n")
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        entry = re.fullmatch(r"    ([a-z_, ]+): (.+)", line)
        if entry:
            names = entry[1].split(", ")
            found |= dict.fromkeys(names, entry[2])
        else:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return found


def _variables() -> Iterator[str]:
    yield from ("## Variables of the app", "", "| variable | value | meaning |", "|---|---|---|")
    told = meanings(environment.Environment)
    for field in fields(environment.Environment):
        yield f"| `{environment.PREFIX}{field.name.upper()}` | {_value(field)} | {told[field.name]} |"
    yield ""
    yield from _structure(environment.ShardAccess)
    yield from _structure(environment.StoreAccess)


def _user_data() -> Iterator[str]:
    yield from ("## User data", "")
    yield from _table(clone.UserData)
    yield from _structure(clone.Shard)
    yield from _structure(clone.Store)


def _structure(kind: type[Any]) -> Iterator[str]:
    yield from (f"### {kind.__name__}", "")
    yield from _table(kind)


def _table(kind: type[Any]) -> Iterator[str]:
    yield from ("| field | value | meaning |", "|---|---|---|")
    told = meanings(kind)
    for field in fields(kind):
        yield f"| `{field.name}` | {_value(field)} | {told[field.name]} |"
    yield ""


def _value(field: Field[Any]) -> str:
    """The field's annotation in plain words."""
    annotation = str(field.type)
    several = re.fullmatch(r"tuple\[(\w+), \.\.\.\]", annotation)
    if several:
        return f"list of {several[1]}"
    plain = {
        "str": "text",
        "int": "whole number",
        "str | None": "text or none",
        "Mapping[str, str]": "names and texts",
        "Endpoint": '`{"host", "port"}`',
    }
    return plain.get(annotation, annotation)


if __name__ == "__main__":
    PAGE.write_text(page())

"""From inputs to the parameters of a call: which inputs an operation takes, and under which names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from local.provider.aws import Aws
from local.provider.casing import find_name, to_aws
from local.provider.row import Call, Item, Make, Row, Step

TAGS = frozenset({"tags", "tagsAll"})


def ours(row: Row) -> frozenset[str]:
    """Inputs that no call takes, but the provider itself."""
    prefix = {f"{row.name.prop}Prefix"} if row.name else set()
    return row.own | prefix | (TAGS if row.tags else frozenset())


def taken(row: Row, action: Call | Make | Step, names: Collection[str], aws: Aws) -> frozenset[str]:
    """Those of the inputs `names` that an action takes."""
    if not isinstance(action, Call) or action.takes is not None:
        return frozenset(names) & frozenset(action.takes or ())
    shape = aws.input_shape(row.service, action.operation)
    left_out = ours(row) | frozenset(action.without)
    return frozenset(name for name in names if name not in left_out and _parameter(row, name, shape) is not None)


def known(row: Row, names: Collection[str], aws: Aws) -> frozenset[str]:
    """Those of the inputs `names` that the row can do something with."""
    found = frozenset(names) & ours(row)
    for action in (*row.creations, *row.updates):
        found |= taken(row, action, names, aws)
    return found


def updatable(row: Row, names: Collection[str], aws: Aws) -> frozenset[str]:
    """Those of the inputs `names` that can be changed in place."""
    found = frozenset(names) & ours(row)
    for action in row.updates:
        found |= taken(row, action, names, aws)
    return found


def arguments(row: Row, call: Call, item: Item, names: Collection[str]) -> dict[str, Any]:
    """Parameters of `call` from the inputs `names`, and its fixed ones."""
    shape = item.aws.input_shape(row.service, call.operation)
    result: dict[str, Any] = {}
    for name in sorted(names):
        value = item.new.get(name, row.unset.get(name))
        parameter = _parameter(row, name, shape)
        if value is None or parameter is None:
            continue
        writes = row.writes.get(name)
        if isinstance(writes, tuple):
            value = writes[1](value)
        result[parameter] = to_aws(value, shape.members[parameter], name)
    return {**result, **call.fixed(item)}


def _parameter(row: Row, name: str, shape: Any) -> str | None:
    writes = row.writes.get(name, name)
    return find_name(writes if isinstance(writes, str) else writes[0], shape.members)

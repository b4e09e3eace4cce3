"""What a row sees of a resource: found through AWS's calls, shown under Pulumi's names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from goldfleet.servicer import Values
from local.provider import tagging
from local.provider.aws import is_missing
from local.provider.casing import find_name, from_aws, project, same_json
from local.provider.parameters import known, ours
from local.provider.row import Find, Item, Row
from local.provider.schema import Schema

_SCALARS: Mapping[str, Callable[[Any], Any]] = {
    "bool": lambda value: str(value).lower() == "true",
    "float": float,
    "int": int,
    "str": lambda value: str(value).lower() if isinstance(value, bool) else str(value),
}


class View:
    """Reads resources of one row."""

    def __init__(self, row: Row, schema: Schema) -> None:
        self._row = row
        self._schema = schema

    def find(self, item: Item) -> Any:
        """What AWS says of it, second looks put beside; None if it does not exist."""
        found = self._look(self._row.find, item)
        if found is None or (self._row.forget and self._row.forget(found)):
            return None
        more = {look.name: self._look(look, item) for look in self._row.more}
        return {**found, **more} if more else found

    def tags(self, item: Item, found: Any) -> dict[str, str]:
        """The tags that are there."""
        return tagging.read(self._row.tags, self._row.service, item, found) if self._row.tags else {}

    def inputs(self, item: Item, found: Any) -> Values:
        """The inputs that the program wrote, as they really are; and tags, which anybody may add."""
        row = self._row
        result: Values = {}
        for name, wanted in item.new.items():
            if name in row.hidden | ours(row):
                result[name] = wanted
                continue
            actual = self._value(name, found, item)
            value = self._seen(name, actual, wanted)
            if value is not None:
                result[name] = value
        return {**result, **self._tag_input(item, found)}

    def all_inputs(self, item: Item, found: Any) -> Values:
        """Every input that can be read, for an import."""
        names = known(self._row, self._schema.inputs, item.aws) - self._row.hidden - ours(self._row)
        values = {name: self._full(name, found, item) for name in names}
        return {**_present(values), **self._tag_input(item, found)}

    def state(self, item: Item, found: Any) -> Values:
        """Outputs as AWS has them, inputs as they are wanted."""
        outputs = {name: self._output(name, found, item) for name in self._schema.outputs.keys() - ours(self._row)}
        tags = {"tags": item.new.get("tags"), "tagsAll": item.new.get("tags") or {}} if self._row.tags else {}
        return _present({"region": item.aws.region, **outputs, **item.new, **tags})

    def same(self, name: str, old: Any, new: Any) -> bool:
        """True if two values that a program wrote for an input mean the same."""
        if old is None or new is None:
            return old is new
        if name in self._row.json:
            return same_json(old, new)
        return bool(old == new or (project(old, new) == new and project(new, old) == old))

    def fits(self, name: str, actual: Any, wanted: Any) -> bool:
        """True if what was read, in full, is what a program wants of it."""
        return bool(self._seen(name, actual, wanted) == wanted)

    def _look(self, look: Find, item: Item) -> Any:
        try:
            answer = item.aws.call(self._row.service, look.operation, **look.parameters(item))
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        path = look.path(item) if callable(look.path) else look.path
        return jmespath.search(path, answer)

    def _value(self, name: str, found: Any, item: Item) -> Any:
        reads = self._row.reads.get(name)
        if callable(reads):
            return reads(found, item)
        if reads is not None:
            return jmespath.search(reads, found)
        writes = self._row.writes.get(name, name)
        member = find_name(writes if isinstance(writes, str) else writes[0], found)
        return None if member is None else found[member]

    def _seen(self, name: str, actual: Any, wanted: Any) -> Any:
        if name in self._row.json:
            return wanted if same_json(actual, wanted) else _text(actual)
        if name in self._row.prefixes and str(actual).startswith(f"{wanted}."):
            return wanted
        return project(actual, wanted)

    def _full(self, name: str, found: Any, item: Item) -> Any:
        value = self._value(name, found, item)
        return _text(value) if name in self._row.json else from_aws(value)

    def _output(self, name: str, found: Any, item: Item) -> Any:
        """A value of the SDK's type. Nested ones are shown if the program wrote them, or the row says how."""
        kind, value = self._schema.outputs[name], self._full(name, found, item)
        if value is None:
            return None
        if kind == "other":
            return value if name in self._row.reads and name not in self._schema.inputs else None
        if kind == "list":
            return value if isinstance(value, list) and not any(isinstance(entry, dict) for entry in value) else None
        return None if isinstance(value, (dict, list)) else _SCALARS[kind](value)

    def _tag_input(self, item: Item, found: Any) -> Values:
        tags = self.tags(item, found)
        return {"tags": tags} if self._row.tags and (tags or "tags" in item.new) else {}


def _text(document: Any) -> Any:
    return document if document is None or isinstance(document, str) else json.dumps(document)


def _present(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not None}

"""A row at work: the engine's calls, answered by the AWS calls that the row names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import (
    UNKNOWN,
    CheckFailure,
    Context,
    Diff,
    Existing,
    PartlyMade,
    Resource,
    TimedOut,
    Values,
    has_unknown,
)
from local.provider import tagging
from local.provider.aws import Aws
from local.provider.parameters import TAGS, arguments, known, taken, updatable
from local.provider.row import WAIT_LIMIT, Item, Make, Row, Step, Wait
from local.provider.schema import Schema
from local.provider.view import View

WAY_OUT = "`goldfleet status` names what failed"
# Names of the inputs that the program did not write: the bridged provider keeps them under the same key.
DEFAULTS = "__defaults"


class RowResource(Resource):
    """The resource type of one row."""

    def __init__(self, row: Row, schema: Schema, aws: Callable[[], Aws]) -> None:
        self._row = row
        self._schema = schema
        self._aws = aws
        self._view = View(row, schema)
        self.secrets = row.secrets  # type: ignore[misc]  # one instance per type here

    def check(self, new: Values, old: Values, context: Context) -> tuple[Values, list[CheckFailure]]:
        """Fills in the default tags and the name; names what no row knows."""
        inputs = self._with_name(self._with_tags(new), old, context)
        if inputs == old:
            return inputs, []
        names = [name for name in inputs if name != DEFAULTS]
        strange = sorted(set(names) - known(self._row, names, self._aws()))
        reason = f"the local provider's row for {self._row.kind} does not know this property"
        return inputs, [CheckFailure(name, reason) for name in strange]

    def diff(self, old: Existing, new: Values, ignored: Collection[str], context: Context) -> Diff:  # noqa: ARG002
        """Compares inputs; JSON documents and sets by what they mean."""
        row = self._row
        changed = self._changed(old.inputs, new)
        if not changed:
            return Diff()
        fixed = (self._schema.replaces | frozenset(row.replaces)) - frozenset(row.in_place)
        stuck = changed - updatable(row, changed, self._aws())
        replaces = (changed & fixed) | stuck
        return Diff(tuple(sorted(changed)), tuple(sorted(replaces)), self._delete_first(new, changed))

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Makes it, waits until it is ready, and reads it."""
        if context.preview:
            return "", {**dict.fromkeys(self._schema.outputs, UNKNOWN), **_plain(inputs)}
        item = Item(self._aws(), context, new=_plain(inputs))
        item, done = self._make(item)
        try:
            if self._row.made is not None:
                self._row.made(item)
            self._run(item, frozenset(item.new) - done)
            found = self._settle(item)
            return item.id, self._view.state(item, found)
        except (ClientError, GoldfleetError) as error:
            raise PartlyMade(item.id, {**item.new, **item.state}, error) from error

    def read(self, old: Existing, context: Context) -> Existing | None:
        """What is there; for an import all that can be read, marked as not written by the program."""
        written = _plain(old.inputs)
        item = Item(self._aws(), context, old.id, new=written, state=_plain(old.state))
        found = self._view.find(item)
        if found is None:
            return None
        inputs = self._view.inputs(item, found) if written else self._view.all_inputs(item, found)
        marks = old.inputs.get(DEFAULTS) if written else sorted(inputs)
        state = self._view.state(replace(item, new=inputs), found)
        return Existing(old.id, {**inputs, DEFAULTS: marks} if marks else inputs, state)

    def update(self, old: Existing, new: Values, context: Context) -> Values:
        """Changes what differs, waits until it is ready, and reads it."""
        if context.preview:
            return {**old.state, **_plain(new), **dict.fromkeys(self._row.volatile, UNKNOWN)}
        changed = self._changed(old.inputs, new)
        item = Item(self._aws(), context, old.id, _plain(new), _plain(old.inputs), old.state, changed)
        self._run(item, changed)
        return self._view.state(item, self._settle(item))

    def delete(self, old: Existing, context: Context) -> None:
        """Removes it and waits until it is gone."""
        item = Item(self._aws(), context, old.id, _plain(old.inputs), _plain(old.inputs), old.state)
        try:
            if isinstance(self._row.delete, Step):
                self._row.delete.act(item)
            elif self._row.delete is not None:
                item.aws.call(self._row.service, self._row.delete.operation, **self._row.delete.fixed(item))
        except ClientError:
            # "Not found" may be said of something else: only a look tells.
            if self._view.find(item) is not None:
                raise
        if self._row.gone is not None:
            self._wait(item, self._row.gone, gone=True)

    def _with_tags(self, new: Values) -> Values:
        defaults = self._aws().default_tags
        if not (self._row.tags and defaults) or new.get("tags") is UNKNOWN:
            return new
        return {**new, "tags": {**defaults, **(new.get("tags") or {})}}

    def _with_name(self, new: Values, old: Values, context: Context) -> Values:
        name = self._row.name
        prefix = f"{name.prop}Prefix" if name else ""
        if name is None or name.prop in new:
            return new
        if name.prop in (old.get(DEFAULTS) or ()) and old.get(prefix) == new.get(prefix):
            value = old[name.prop]
        elif new.get(prefix) is UNKNOWN:
            value = UNKNOWN
        else:
            head = new.get(prefix) or f"{context.name}-"
            tail = hashlib.sha256(context.seed + context.urn.encode()).hexdigest()[:7] + name.suffix
            value = head[: name.length - len(tail)] + tail
        return {**new, name.prop: value, DEFAULTS: [name.prop]}

    def _changed(self, old: Values, new: Values) -> frozenset[str]:
        read = frozenset(old.get(DEFAULTS) or ())
        names = {*old, *new} - {DEFAULTS, "tagsAll"}
        return frozenset(name for name in names if self._differs(name, old, new, read))

    def _differs(self, name: str, old: Values, new: Values, read: frozenset[str]) -> bool:
        if has_unknown(new.get(name)):
            return True
        if name in self._row.remembered and name not in new:
            return False
        if name in read:
            return name in new and not self._view.fits(name, old[name], new[name])
        return not self._view.same(name, old.get(name), new.get(name))

    def _delete_first(self, new: Values, changed: frozenset[str]) -> bool:
        """Two resources cannot have one name: a name that the program wrote goes before it comes again."""
        name = self._row.name
        if name is None:
            return self._row.delete_first
        return name.prop not in (new.get(DEFAULTS) or ()) and name.prop not in changed

    def _make(self, item: Item) -> tuple[Item, frozenset[str]]:
        """The item with its id, and the inputs that it was made with."""
        row, create = self._row, self._row.creation(item.new)
        done = taken(row, create, item.new, item.aws)
        if isinstance(create, Make):
            return replace(item, id=create.act(item)), done
        parameters = arguments(row, create, item, done)
        tags = item.new.get("tags")
        if row.tags and row.tags.at_create and tags:
            parameters |= row.tags.at_create(tags)
            done |= TAGS
        answer = item.aws.call(row.service, create.operation, **parameters)
        item = replace(item, state={"created": answer})
        id_ = row.id(item) if callable(row.id) else jmespath.search(row.id, answer)
        if id_ is None:
            raise GoldfleetError(item.context.name, f"{create.operation} made nothing: {answer}", "run again")
        return replace(item, id=str(id_), state={}), done

    def _run(self, item: Item, names: frozenset[str]) -> None:
        """Runs the updates that take some of the inputs `names`."""
        for update in self._row.updates:
            concerned = taken(self._row, update, names, item.aws)
            if not concerned:
                continue
            if isinstance(update, Step):
                update.act(item)
                continue
            passed = taken(self._row, update, item.new, item.aws) | concerned if update.whole else concerned
            item.aws.call(self._row.service, update.operation, **arguments(self._row, update, item, passed))
        if self._row.tags and names & TAGS:
            found = self._view.find(item)
            tagging.write(self._row.tags, self._row.service, item, self._view.tags(item, found))

    def _settle(self, item: Item) -> Any:
        if self._row.ready is not None:
            return self._wait(item, self._row.ready, gone=False)
        found = self._view.find(item)
        if found is None:
            raise GoldfleetError(item.context.name, f"{item.id} was made but cannot be found", "run again")
        return found

    def _wait(self, item: Item, wait: Wait, *, gone: bool) -> Any:
        word = None

        def probe() -> Any:
            nonlocal word
            found = self._view.find(item)
            if found is None:
                return True if gone else None
            word = jmespath.search(wait.path, found)
            if word in wait.failed:
                raise GoldfleetError(item.context.name, f"{item.id} is {word}", WAY_OUT)
            return found if word in wait.wanted else None

        try:
            return item.context.wait_for(wait.what, probe, WAIT_LIMIT)
        except TimedOut as late:
            raise TimedOut(late.where, f"{late.what}; {item.id} is {word}", WAY_OUT) from late


def _plain(values: Values) -> Values:
    return {name: value for name, value in values.items() if name != DEFAULTS}

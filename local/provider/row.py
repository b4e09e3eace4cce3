"""What a row says about one resource type: which AWS calls make, find, change and remove it.

Names are matched without case between the Pulumi schema and botocore's service model, so a row names only what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from goldfleet.servicer import Context, Values
from local.provider.aws import Aws


@dataclass(frozen=True)
class Item:
    """One resource at work.

    Args:
        aws: where AWS answers.
        context: progress, time, cancellation.
        id: empty until it is made.
        new: the inputs it shall have.
        old: the inputs it has; empty for a new one.
        state: all that is known of it.
        changed: names of the inputs that differ.
    """

    aws: Aws
    context: Context
    id: str = ""
    new: Values = field(default_factory=dict)
    old: Values = field(default_factory=dict)
    state: Values = field(default_factory=dict)
    changed: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> Any:
        """An input, else what the state knows under this name, else None."""
        return self.new[name] if name in self.new else self.state.get(name)


WAIT_LIMIT = 120.0
"""Seconds after which a wait is given up: what takes longer on this machine will not happen any more."""

Parameters: TypeAlias = Callable[[Item], Values]


def nothing(_: Item) -> Values:
    """No parameters of a call are fixed."""
    return {}


@dataclass(frozen=True)
class Call:
    """An AWS operation that takes inputs as parameters.

    Args:
        operation: the client's method.
        fixed: parameters that are not inputs: whose it is.
        takes: names of the inputs it takes; None: all that the operation's model knows.
        without: inputs that it does not take although the model knows them.
        whole: an update passes all inputs that it takes, not only those that changed.
    """

    operation: str
    fixed: Parameters = nothing
    takes: tuple[str, ...] | None = None
    without: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Step:
    """Inputs that need more than one plain call."""

    takes: tuple[str, ...]
    act: Callable[[Item], None]


@dataclass(frozen=True)
class Make:
    """A creation that is more than one plain call; `act` returns the id."""

    takes: tuple[str, ...]
    act: Callable[[Item], str]


@dataclass(frozen=True)
class Find:
    """Where a resource can be seen.

    Args:
        operation: the client's method.
        parameters: whose.
        path: JMESPath from the answer to what describes the resource; None there means it does not exist.
        name: for a second look: under which name its result is put beside the first one's.
    """

    operation: str
    parameters: Parameters
    path: str | Callable[[Item], str] = "@"
    name: str = ""


@dataclass(frozen=True)
class Wait:
    """A state to wait for.

    Args:
        what: for people.
        path: JMESPath from what was found to the word that says how it is.
        wanted: words that end the wait.
        failed: words that make waiting pointless.
    """

    what: str
    path: str
    wanted: frozenset[Any]
    failed: frozenset[Any] = frozenset()


@dataclass(frozen=True)
class Name:
    """An input that gets a unique value when the program gives none: the resource's name and seven digits.

    `suffix` is what such names must end in.
    """

    prop: str = "name"
    length: int = 63
    suffix: str = ""


@dataclass(frozen=True)
class Tags:
    """How a service handles tags.

    Args:
        add, remove: operations.
        whose: parameters that name the resource.
        replace: for a service that only takes all tags at once: does it, instead of `add` and `remove`.
        read: where they are found; None: in what `Row.find` finds.
        at_create: from tags to parameters of the creation; None: added afterwards.
        path: JMESPath to the list or map of tags.
        member, keys: parameters of `add` and `remove`.
        pair: names of key and value; None if tags are a map.
    """

    add: str = ""
    remove: str = ""
    whose: Parameters = nothing
    replace: Callable[[Item], None] | None = None
    read: Find | None = None
    at_create: Callable[[Any], Values] | None = None
    path: str = "Tags"
    member: str = "Tags"
    keys: str = "TagKeys"
    pair: tuple[str, str] | None = ("Key", "Value")


Writes: TypeAlias = str | tuple[str, Callable[[Any], Any]]
Reads: TypeAlias = str | Callable[[Any, Item], Any]


@dataclass(frozen=True)
class Row:
    """One resource type.

    Args:
        kind: Pulumi's name of the type, its type token.
        service: botocore's name of the service.
        create: makes it.
        variant: an input, and the call that makes the resource when the program sets it.
        id: JMESPath from the creation's answer to the id, or a function of the item.
        find: sees it.
        delete: removes it; None: it cannot be removed, or goes with another.
        made: what AWS made of itself and has to be undone, right after the creation.
        updates: change it, in this order; those whose inputs `create` does not take also run after it.
        more: second looks.
        writes: input -> parameter, or parameter and conversion, where the names differ.
        reads: property -> JMESPath into what was found, or a function of it and the item, where the names differ.
        json: inputs that are JSON documents.
        hidden: inputs that AWS does not give back.
        prefixes: inputs of which AWS may give back more: version 17 is 17.4 then.
        own: inputs for the provider itself.
        unset: input -> what AWS is told when the program no longer sets it.
        volatile: outputs that an update may change.
        name: the input that may be named automatically.
        tags: how tags are handled.
        ready, gone: what to wait for.
        forget: true for what was found of a resource that is as good as gone.
        delete_first: a replacement cannot stand beside the old one.
        in_place: inputs that can be changed though the schemas say otherwise: input -> reason.
        remembered: inputs that stay as they are when the program no longer sets them: Optional and Computed in
            pulumi-aws.
        replaces: inputs that need a new resource though the schemas do not say so: input -> reason.
        secrets: properties that are always secret.
    """

    kind: str
    service: str
    create: Call | Make
    find: Find
    variant: tuple[str, Call] | None = None
    id: str | Callable[[Item], str] = ""
    delete: Call | Step | None = None
    made: Callable[[Item], None] | None = None
    updates: tuple[Call | Step, ...] = ()
    more: tuple[Find, ...] = ()
    writes: Mapping[str, Writes] = field(default_factory=dict)
    reads: Mapping[str, Reads] = field(default_factory=dict)
    json: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    unset: Mapping[str, Any] = field(default_factory=dict)
    volatile: tuple[str, ...] = ()
    name: Name | None = None
    tags: Tags | None = None
    ready: Wait | None = None
    gone: Wait | None = None
    forget: Callable[[Any], bool] | None = None
    delete_first: bool = False
    in_place: Mapping[str, str] = field(default_factory=dict)
    replaces: Mapping[str, str] = field(default_factory=dict)
    remembered: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()

    @property
    def creations(self) -> tuple[Call | Make, ...]:
        """All the ways in which it can be made."""
        return (self.create,) if self.variant is None else (self.create, self.variant[1])

    def creation(self, inputs: Values) -> Call | Make:
        """The way in which it is made from these inputs."""
        return self.variant[1] if self.variant and inputs.get(self.variant[0]) is not None else self.create

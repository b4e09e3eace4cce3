"""What a provider is made of: resources by type token, functions by token, one configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from goldfleet.servicer.context import Context
from goldfleet.servicer.values import Values, has_unknown


@dataclass(frozen=True)
class Existing:
    """A resource as the engine remembers it: its id, the inputs it was made from, its state."""

    id: str
    inputs: Values
    state: Values


@dataclass(frozen=True)
class CheckFailure:
    """A property that breaks a rule, and the rule."""

    property: str
    reason: str


@dataclass(frozen=True)
class Diff:
    """Which properties differ, and which of them need a new resource."""

    changes: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


class Resource:
    """A resource type. Methods run on threads, many at a time: keep nothing on `self` that changes.

    `replace_on` names the inputs whose change needs a new resource, `secrets` the properties that are always secret.
    Properties with the name of a secret input are secret without being named.
    """

    replace_on: ClassVar[frozenset[str]] = frozenset()
    secrets: ClassVar[frozenset[str]] = frozenset()

    def check(
        self,
        new: Values,
        old: Values,  # noqa: ARG002  for those who override
        context: Context,  # noqa: ARG002
    ) -> tuple[Values, list[CheckFailure]]:
        """The inputs to keep, defaults filled in, and what is wrong with them. `old` is empty for a new resource."""
        return new, []

    def diff(
        self,
        old: Existing,
        new: Values,
        ignored: Collection[str],  # noqa: ARG002  the engine has put the old values back already
        context: Context,  # noqa: ARG002
    ) -> Diff:
        """What has to change. `ignored` are the paths of `ignore_changes`."""
        return compare(old.inputs, new, self.replace_on)

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        """Makes it; returns id and state. With `context.preview`: makes nothing, returns no id and unknowns.

        Raises:
            PartlyMade: it exists, but is not as wanted.
        """
        raise NotImplementedError

    def read(self, old: Existing, context: Context) -> Existing | None:
        """What is really there, None if nothing. For an import `old` has an id and nothing else."""
        raise NotImplementedError

    def update(self, old: Existing, new: Values, context: Context) -> Values:
        """Changes it in place; returns the state. With `context.preview`: changes nothing."""
        raise NotImplementedError

    def delete(self, old: Existing, context: Context) -> None:
        """Removes it; it may be gone already."""
        raise NotImplementedError


def compare(old: Values, new: Values, replace_on: Collection[str] = ()) -> Diff:
    """Top-level properties whose values differ; an unknown value counts as different."""
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name) or has_unknown(new.get(name))]
    return Diff(tuple(names), tuple(name for name in names if name in replace_on))


def _nothing_to_configure(config: Values) -> None:  # noqa: ARG001  the signature of a provider without settings
    return


@dataclass(frozen=True)
class Provider:
    """A plugin.

    Args:
        name: the plugin is `pulumi-resource-<name>`.
        version: semantic version.
        resources: type token -> resource.
        functions: function token -> function of plain arguments.
        configure: called once, before all else, with the provider's own inputs.
    """

    name: str
    version: str
    resources: Mapping[str, Resource]
    functions: Mapping[str, Callable[[Values], Values]] = field(default_factory=dict)
    configure: Callable[[Values], None] = _nothing_to_configure

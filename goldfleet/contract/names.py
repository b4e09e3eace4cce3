"""Names and tags within AWS's lengths.

Every name starts with `<project>-<stack>`. AWS refuses names that are too long only when the resource is made, so they
are cut here: a name that does not fit keeps its head and ends in a digest of the whole, so two long names never meet.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from goldfleet.errors import SettingsError

STACK_LENGTH = 12
PROJECT_LENGTH = 20

LOAD_BALANCER_LENGTH = 32
TARGET_GROUP_LENGTH = 32
REPLICATION_GROUP_LENGTH = 40
DB_INSTANCE_LENGTH = 63
ROLE_LENGTH = 64
DEFAULT_LENGTH = 63

TAG_PROJECT = "goldfleet:project"
TAG_STACK = "goldfleet:stack"
TAG_RELEASE = "goldfleet:release"
TAG_COMPONENT = "goldfleet:component"


@dataclass(frozen=True)
class Names:
    """The names of one stack of one project."""

    project: str
    stack: str

    @property
    def prefix(self) -> str:
        return f"{self.project}-{self.stack}"

    def of(self, *parts: str, length: int = DEFAULT_LENGTH) -> str:
        """`<project>-<stack>-<parts>`, at most `length` characters."""
        return fit("-".join((self.prefix, *parts)), length)

    @property
    def app_log_group(self) -> str:
        return f"/{self.project}/{self.stack}/app"

    def parameter(self, *parts: str) -> str:
        """The name of an SSM parameter."""
        return "/".join(("", self.project, self.stack, *parts))

    def secret(self, *parts: str) -> str:
        """The name of a secret in Secrets Manager."""
        return "/".join((self.project, self.stack, *parts))

    @property
    def tags(self) -> dict[str, str]:
        return {TAG_PROJECT: self.project, TAG_STACK: self.stack}


def fit(name: str, length: int) -> str:
    """The name itself if it has at most `length` characters, else its head and a digest of the whole.

    Raises:
        SettingsError: `length` has no room for a digest.
    """
    if len(name) <= length:
        return name
    if length < 12:
        raise SettingsError("name", f"'{name}' cannot be cut to {length} characters", "choose a shorter project name")
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: length - 9].rstrip('-')}-{digest}"

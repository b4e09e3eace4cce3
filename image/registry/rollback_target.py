"""What a rollback goes back to. Decides only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """A version of a launch template.

    Args:
        number: AWS counts up and never uses a number again.
        image: `ami-...`, empty if the version names none.
        default: whether it is the template's default version, which AWS does not delete.
    """

    number: int
    image: str
    default: bool = False


def rollback_target(versions: Iterable[Version], current: int) -> Version | None:
    """The newest version before the group's current one that has another image.

    A version newer than the current one never is: its rollout failed, or has not begun. A version with the same image
    differs in settings only. After a rollback the current version is the newest, and the target is what it left.

    Args:
        versions: of one launch template.
        current: number of the version that the group launches now.
    """
    known = {version.number: version for version in versions}
    image = known[current].image if current in known else ""
    before = [one for one in known.values() if one.number < current and one.image and one.image != image]
    return max(before, key=lambda one: one.number, default=None)

"""What a rollback goes back to. Decides only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


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


def refused_versions(refreshes: Iterable[Mapping[str, Any]]) -> frozenset[int]:
    """Numbers of the versions that rollouts have brought and none has brought to its end: they never ran everywhere.

    Args:
        refreshes: of one group, as DescribeInstanceRefreshes tells them; AWS remembers six weeks.
    """
    tried: set[int] = set()
    succeeded: set[int] = set()
    for refresh in refreshes:
        version = refresh.get("DesiredConfiguration", {}).get("LaunchTemplate", {}).get("Version", "")
        if version.isdecimal():
            (succeeded if refresh["Status"] == "Successful" else tried).add(int(version))
    return frozenset(tried - succeeded)


def rollback_target(versions: Iterable[Version], current: int, refused: Collection[int]) -> Version | None:
    """The newest version before the group's current one that has another image and has not been refused.

    A version newer than the current one never is: its rollout failed, or has not begun. A version with the same image
    differs in settings only. After a rollback the current version is the newest, and the target is what it left.

    Args:
        versions: of one launch template.
        current: number of the version that the group launches now.
        refused: numbers of versions that never ran everywhere.
    """
    known = {version.number: version for version in versions}
    image = known[current].image if current in known else ""
    before = [one for one in known.values() if one.number < current and one.number not in refused]
    return max((one for one in before if one.image not in ("", image)), key=lambda one: one.number, default=None)

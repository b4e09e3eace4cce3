"""Errors that a person reads: where it went wrong, what is wrong, and the way out.

GoldfleetError
├── SettingsError    a setting breaks a rule; `where` is its path, for example `fleet.desired`
├── GuardRefused     an account, endpoint or key is not the one this stack names
├── ToolMissing      a program that is needed is not on this machine
├── ReleaseError     a release cannot be built, found or registered
├── RolloutFailed    the fleet is not on the wanted release
├── ContractError    user data or environment does not have the agreed shape
└── LocalCloudError  the local cloud cannot start, stop or answer
"""

from __future__ import annotations


class GoldfleetError(Exception):
    """One thing that went wrong, in three parts.

    Args:
        where: what the error is about: a setting's path, a file, a resource.
        what: the rule that was broken or the fact that was found, without a full stop.
        way_out: the next step, as a command or an instruction, without a full stop.
    """

    def __init__(self, where: str, what: str, way_out: str) -> None:
        super().__init__(where, what, way_out)
        self.where = where
        self.what = what
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.way_out}"


class SettingsError(GoldfleetError):
    """A setting breaks a rule."""


class GuardRefused(GoldfleetError):
    """The caller's account, endpoint or key is not what the stack names."""


class ToolMissing(GoldfleetError):
    """A program that is needed is not on this machine."""


class ReleaseError(GoldfleetError):
    """A release cannot be built, found or registered."""


class RolloutFailed(GoldfleetError):
    """The fleet is not on the wanted release."""


class ContractError(GoldfleetError):
    """User data or environment does not have the agreed shape."""


class LocalCloudError(GoldfleetError):
    """The local cloud cannot start, stop or answer."""

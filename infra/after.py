"""A value that waits."""

from __future__ import annotations

import pulumi


def after(value: pulumi.Output[str], resource: pulumi.CustomResource) -> pulumi.Output[str]:
    """`value`, known once `resource` is made: who uses it comes after both."""
    return pulumi.Output.all(value, resource.id).apply(lambda made: str(made[0]))

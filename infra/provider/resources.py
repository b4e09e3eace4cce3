"""What the program writes: the provider of our own resources and its three types.

The plugin `goldfleet` (`infra/provider/pulumi-resource-goldfleet`) carries them out. Type tokens and property names are
an interface: states of older releases are read and destroyed by them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

PACKAGE = "goldfleet"


def token(name: str) -> str:
    """The type token of one of our resources."""
    return f"{PACKAGE}:index:{name}"


class Provider(pulumi.ProviderResource):
    """Whose AWS our resources work in; the caller's account is checked before anything else is called.

    Args:
        name: the resource's name.
        region: for example `eu-central-1`.
        account_id: twelve digits; any other caller is refused.
        endpoint: URL of a local control plane (a loopback address), or None for AWS itself.
        profile: name of a profile in the shared AWS configuration, or None.
    """

    def __init__(  # noqa: PLR0913  one argument a property
        self,
        name: str,
        *,
        region: pulumi.Input[str],
        account_id: pulumi.Input[str],
        endpoint: pulumi.Input[str] | None = None,
        profile: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"region": region, "accountId": account_id, "endpoint": endpoint, "profile": profile}
        super().__init__(PACKAGE, name, inputs, opts)


class GoldenImage(pulumi.CustomResource):
    """The registered image of a release: looked up, and baked only for `working-tree`. Deleting it removes nothing.

    Args:
        name: the resource's name.
        release: `working-tree`, a release digest (64 hexadecimal digits) or an image id (`ami-...`).
        layers: which layers the image has, of `os` and `app`.
        project: tag `goldfleet:project` of the image.
    """

    image_id: pulumi.Output[str]
    """The image's id, `ami-...`."""
    image_release: pulumi.Output[str]
    """Digest of the release that the image holds; empty for an image without our tag."""
    root_device: pulumi.Output[str]
    """Device name of the root volume, as the launch template must name it."""
    app_device: pulumi.Output[str]
    """Device name of the app volume; empty if the image has none."""

    def __init__(
        self,
        name: str,
        *,
        release: pulumi.Input[str],
        layers: pulumi.Input[Sequence[str]],
        project: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outputs = dict.fromkeys(("image_id", "image_release", "root_device", "app_device"))
        super().__init__(
            token("GoldenImage"), name, {"release": release, "layers": layers, "project": project, **outputs}, opts
        )

    def translate_input_property(self, prop: str) -> str:
        return _camel(prop)

    def translate_output_property(self, prop: str) -> str:
        return _snake(prop)


class Capacity(pulumi.CustomResource):
    """How many clones a person wants: set only when the wish itself changes, so that no `up` undoes what scaling did.

    Args:
        name: the resource's name.
        group_name: the Auto Scaling group.
        desired: count of clones.
        target_group_arn: where that many clones must be healthy before this is done.
    """

    running: pulumi.Output[int]
    """Count of clones that the group wanted when this was last applied or read."""

    def __init__(
        self,
        name: str,
        *,
        group_name: pulumi.Input[str],
        desired: pulumi.Input[int],
        target_group_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {"group_name": group_name, "desired": desired, "target_group_arn": target_group_arn, "running": None}
        super().__init__(token("Capacity"), name, inputs, opts)

    def translate_input_property(self, prop: str) -> str:
        return _camel(prop)

    def translate_output_property(self, prop: str) -> str:
        return _snake(prop)


class Rollout(pulumi.CustomResource):
    """Puts the whole fleet on one numbered version of the launch template and waits until the last clone is replaced.

    Args:
        name: the resource's name.
        group_name: the Auto Scaling group; it must ignore changes of its template's version.
        launch_template_id: `lt-...`.
        launch_template_version: a number, never `$Latest` or `$Default`.
        target_group_arn: where clones must be healthy.
        alarm_names: names of CloudWatch alarms that turn it round; at most ten.
        warm_up_seconds: from when a new clone is in service until the next is replaced.
        canary_seconds: how long the first new clone serves before the others are replaced.
        bake_seconds: how long the whole new fleet is watched before this has succeeded.
    """

    refresh_id: pulumi.Output[str]
    """The instance refresh that did it; empty if all clones ran the version already."""

    def __init__(  # noqa: PLR0913  one argument a property
        self,
        name: str,
        *,
        group_name: pulumi.Input[str],
        launch_template_id: pulumi.Input[str],
        launch_template_version: pulumi.Input[int],
        target_group_arn: pulumi.Input[str],
        alarm_names: pulumi.Input[Sequence[pulumi.Input[str]]],
        warm_up_seconds: pulumi.Input[int],
        canary_seconds: pulumi.Input[int],
        bake_seconds: pulumi.Input[int],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            "group_name": group_name,
            "launch_template_id": launch_template_id,
            "launch_template_version": launch_template_version,
            "target_group_arn": target_group_arn,
            "alarm_names": alarm_names,
            "warm_up_seconds": warm_up_seconds,
            "canary_seconds": canary_seconds,
            "bake_seconds": bake_seconds,
            "refresh_id": None,
        }
        super().__init__(token("Rollout"), name, inputs, opts)

    def translate_input_property(self, prop: str) -> str:
        return _camel(prop)

    def translate_output_property(self, prop: str) -> str:
        return _snake(prop)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)

"""What a stack says of itself: the outputs that `pulumi stack output` and the command read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

PLAIN_HTTP_NOTICE = "balancer.plain_http is on: passwords and cookies travel unencrypted"


@dataclass(frozen=True)
class Outputs:
    """A stack's outputs.

    Args:
        public_url: where people see the site.
        release: digest of the release in the image that the launch template names.
        image_id: that image.
        group_name: the Auto Scaling group.
        template_id: the launch template.
        target_group_arn: where clones are registered.
        log_group: the app's log group.
        topic_arn: where alarms go.
        app_secrets: ARN of each secret of the setting `app.secrets`, by name.
        notices: what a person should know about this stack on every `up`.
    """

    public_url: pulumi.Input[str]
    release: pulumi.Input[str]
    image_id: pulumi.Input[str]
    group_name: pulumi.Input[str]
    template_id: pulumi.Input[str]
    target_group_arn: pulumi.Input[str]
    log_group: pulumi.Input[str]
    topic_arn: pulumi.Input[str]
    app_secrets: Mapping[str, pulumi.Input[str]]
    notices: list[str]

    def export(self) -> None:
        """Makes them the stack's outputs, and shows the notices."""
        for name in self.__dataclass_fields__:
            pulumi.export(name, getattr(self, name))
        for notice in self.notices:
            pulumi.log.warn(notice)

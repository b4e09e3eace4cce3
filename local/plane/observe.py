"""What AWS says should run: describe calls and the passwords that AWS never tells -> one `Wanted`."""

from __future__ import annotations

from typing import Any

from local.plane.control import Control
from local.plane.observe_balancing import balancing
from local.plane.observe_instances import Instances, memberships
from local.plane.observe_stores import databases, store_nodes
from local.plane.wanted import Wanted


class Observer:
    """Asks one control plane.

    Args:
        control: the control plane.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._instances = Instances(control)

    def observe(self) -> Wanted:
        """One look at everything.

        Raises:
            LocalCloudError, botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError: it does not answer.
        """
        passwords: dict[str, Any] = self._control.passwords()
        images = self._instances.images()
        clones = self._instances.running(images)
        addresses = {clone.instance_id: clone.address for clone in clones}
        balanced = balancing(self._control.client("elbv2"), addresses)
        rds = databases(self._control.client("rds"), passwords["rds"])
        return Wanted(
            databases=rds.running,
            nodes=store_nodes(self._control.client("elasticache"), passwords["elasticache"]),
            balancing=balanced.balancing,
            targets=balanced.targets,
            clones=clones,
            memberships=memberships(self._control.client("autoscaling")),
            releases=frozenset(images.values()),
            paused=rds.paused,
            cut_off=rds.cut_off,
            not_imitated=balanced.not_imitated,
        )

"""Where a group launches and whom it terminates: pure functions.

AWS, "Amazon EC2 Auto Scaling instance distribution" and "Default termination policy": instances are spread evenly over
the zones; of the zone with the most instances, the one with the oldest launch template version goes, then the oldest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Placed:
    """An instance of a group.

    Args:
        instance_id: its id.
        subnet: where it runs.
        version: number of the launch template version that it was launched with.
        launched: when, in seconds of any clock.
        protected: True if scale-in must not end it.
    """

    instance_id: str
    subnet: str
    version: int
    launched: float
    protected: bool = False


def launch_subnets(subnets: Sequence[str], running: Sequence[str], count: int) -> list[str]:
    """The subnets for `count` new instances, so that all are as even as they can be.

    Args:
        subnets: the group's subnets, in its order.
        running: the subnet of each instance that runs.
        count: how many are launched.
    """
    load = Counter(dict.fromkeys(subnets, 0))
    load.update(subnet for subnet in running if subnet in load)
    chosen = []
    for _ in range(count):
        subnet = min(subnets, key=lambda each: load[each])
        load[subnet] += 1
        chosen.append(subnet)
    return chosen


def scale_in_victims(members: Sequence[Placed], count: int) -> list[str]:
    """Ids of the `count` instances that a scale-in ends, fewer if the others are protected."""
    left = list(members)
    victims = []
    for _ in range(count):
        load = Counter(member.subnet for member in left)
        candidates = [member for member in left if not member.protected]
        if not candidates:
            break
        victim = min(candidates, key=lambda each: (-load[each.subnet], each.version, each.launched, each.instance_id))
        left.remove(victim)
        victims.append(victim.instance_id)
    return victims

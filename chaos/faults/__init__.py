"""All faults, in the order of the table. A file is a fault or a family; it has a tuple `FAULTS`."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.fault import Fault
from chaos.faults import (
    black_holes,
    cache,
    clones,
    control_plane,
    database,
    exhausted,
    promotion,
    releases,
    replicas,
    scale,
    sessions,
    supervisor,
)
from goldfleet.errors import SettingsError

ALL: tuple[Fault, ...] = (
    *releases.FAULTS,
    *scale.FAULTS,
    *clones.FAULTS,
    *exhausted.FAULTS,
    *cache.FAULTS,
    *sessions.FAULTS,
    *replicas.FAULTS,
    *database.FAULTS,
    *promotion.FAULTS,
    *supervisor.FAULTS,
    *black_holes.FAULTS,
    *control_plane.FAULTS,
)


def chosen(names: Sequence[str]) -> list[Fault]:
    """The faults with these names, in the order of the table; all if none is named.

    Raises:
        SettingsError: nothing has such a name.
    """
    known = [fault.name for fault in ALL]
    for name in names:
        if name not in known:
            raise SettingsError(f"--only {name}", "there is no such fault", f"name one of {', '.join(known)}")
    return [fault for fault in ALL if not names or fault.name in names]

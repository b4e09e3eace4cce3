"""Every resource type is made, read, changed in place, read again and removed; what is read is what was asked for."""

from __future__ import annotations

import pytest

from goldfleet.servicer import Existing
from tests.local.provider.ground import Ground, Rows
from tests.local.provider.lives import LIVES, Life


@pytest.mark.parametrize("life", LIVES, ids=[life.kind for life in LIVES])
def test_a_life(rows: Rows, ground: Ground, life: Life) -> None:
    kind, inputs, changes = life.kind, life.inputs(ground), life.changes(ground)
    made = rows.create(kind, inputs)
    try:
        assert_as_asked(rows, kind, made)
        assert rows.diff(kind, made, inputs).changes == ()
        change = rows.diff(kind, made, changes)
        assert change.changes
        assert change.replaces == ()
        made = rows.update(kind, made, changes)
        assert_as_asked(rows, kind, made)
        assert_import_finds(rows, kind, made)
    finally:
        rows.delete(kind, made)
    assert rows.read(kind, made) is None
    rows.delete(kind, made)


def assert_as_asked(rows: Rows, kind: str, made: Existing) -> None:
    """A refresh finds no drift, and the state has what the inputs say."""
    found = rows.read(kind, made)
    assert found is not None
    assert found.inputs == made.inputs
    lasting = made.state.keys() - {"latestRestorableTime"}
    assert {name: found.state.get(name) for name in lasting} == {name: made.state[name] for name in lasting}


def assert_import_finds(rows: Rows, kind: str, made: Existing) -> None:
    """An import sees the same resource, and the program that made it changes nothing."""
    found = rows.read(kind, Existing(made.inputs.get("identifier", made.id), {}, {}))
    assert found is not None
    hidden = {"password", "skipFinalSnapshot", "applyImmediately", "forceDestroy", "recoveryWindowInDays"}
    unread = {"namePrefix", "notifications", "updateDefaultVersion", "__defaults"}
    written = {name: value for name, value in made.inputs.items() if name not in hidden | unread}
    assert set(rows.diff(kind, found, written).changes) == set()

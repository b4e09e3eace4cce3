"""The page of variables and user data says everything, and is the one that is committed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from goldfleet.contract import clone, document, environment


def test_the_page_is_the_contract() -> None:
    assert document.PAGE.read_text() == document.page(), "run: python -m goldfleet.contract.document"


@pytest.mark.parametrize(
    "kind", [environment.Environment, environment.ShardAccess, environment.StoreAccess, clone.UserData, clone.Shard]
)
def test_every_field_is_described(kind: type[Any]) -> None:
    assert set(document.meanings(kind)) == {field.name for field in fields(kind)}


def test_a_meaning_of_two_lines_is_one_text() -> None:
    class Described:
        """A thing.

        Args:
            first, second: both
                of them.
            third: alone.
        """

    assert document.meanings(Described) == {"first": "both of them.", "second": "both of them.", "third": "alone."}

"""Every row agrees with the installed SDK, CloudFormation's schemas and botocore's models."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.provider import generate
from local.provider.aws import Aws
from local.provider.parameters import known, updatable
from local.provider.plugin import ROWS
from local.provider.row import Call, Row
from local.provider.schema import FILE, schemas

IDS = [row.kind for row in ROWS]


def test_the_generated_file_is_what_the_packages_say() -> None:
    assert FILE.read_text() == generate.text(), "run `python -m local.provider.generate`"


def test_no_type_has_two_rows() -> None:
    assert len(set(IDS)) == len(IDS)


def named(row: Row) -> Iterator[str]:
    """Every input that a row mentions."""
    yield from row.writes
    yield from (*row.json, *row.hidden, *row.prefixes, *row.own, *row.unset, *row.in_place, *row.replaces)
    for action in (*row.creations, *row.updates):
        yield from action.takes or ()
    if row.name:
        yield row.name.prop


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_names_only_what_the_sdk_has(row: Row) -> None:
    schema = schemas()[row.kind]
    assert set(named(row)) - set(schema.inputs) == set()
    assert {*row.reads, *row.volatile, *row.secrets} - set(schema.outputs) == set()


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_calls_only_what_botocore_has(row: Row, aws: Aws) -> None:
    client = aws.client(row.service)
    calls = [action for action in (*row.creations, *row.updates, row.delete) if isinstance(action, Call)]
    for operation in {call.operation for call in calls} | {look.operation for look in (row.find, *row.more)}:
        assert operation in client.meta.method_to_api_mapping


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_exceptions_to_the_schemas_are_needed(row: Row, aws: Aws) -> None:
    """A property called changeable in place is one that the schemas replace and the row can change."""
    schema = schemas()[row.kind]
    assert set(row.in_place) <= schema.replaces & updatable(row, schema.inputs, aws)
    assert set(row.replaces) & schema.replaces == set()


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_knows_how_to_make_and_to_read(row: Row, aws: Aws) -> None:
    inputs = schemas()[row.kind].inputs
    assert known(row, inputs, aws)
    assert "region" not in known(row, inputs, aws)

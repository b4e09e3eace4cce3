"""The wire form of property values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldfleet.errors import GoldfleetError
from goldfleet.servicer.values import SIGNATURE, UNKNOWN, decode, encode, has_unknown

numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
leaves = st.none() | st.booleans() | numbers | st.text() | st.just(UNKNOWN)
names = st.text().filter(lambda name: name != SIGNATURE)
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=12)


@settings(deadline=None)
@given(st.dictionaries(names, values.filter(lambda value: value is not None)), st.data())
def test_what_was_encoded_decodes_to_the_same(properties: dict[str, Any], data: st.DataObject) -> None:
    secrets = data.draw(st.frozensets(st.sampled_from(sorted(properties)))) if properties else frozenset()
    decoded = decode(encode(properties, secrets))
    assert decoded.values == properties
    assert decoded.secrets == secrets


def test_whole_numbers_are_integers() -> None:
    decoded = decode(encode({"a": 2.0, "b": 2.5})).values
    assert (type(decoded["a"]), type(decoded["b"])) == (int, float)


def test_a_secret_deep_inside_marks_its_property() -> None:
    struct = encode({"a": {"b": [1]}, "c": 1})
    struct.fields["a"].struct_value.fields["b"].list_value.values[0].CopyFrom(encode({"x": 1}, {"x"}).fields["x"])
    assert decode(struct).values == {"a": {"b": [1]}, "c": 1}
    assert decode(struct).secrets == {"a"}


def test_assets_are_refused_by_name() -> None:
    with pytest.raises(GoldfleetError, match=r"^code: "):
        decode(encode({"code": {SIGNATURE: "c44067f5952c0a294b673a41bacd8c17"}}))


def test_unknowns_are_found_at_any_depth() -> None:
    assert has_unknown({"a": [{"b": UNKNOWN}]})
    assert not has_unknown({"a": [{"b": None}]})

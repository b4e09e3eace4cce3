"""Property values: the engine's Struct on the wire, plain Python here.

Source: Pulumi, "Pulumi's property value encoding" (signature key, secrets, unknowns).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.struct_pb2 import Struct, Value

from goldfleet.errors import GoldfleetError

Values = dict[str, Any]

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET_MARK: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  a constant of the protocol
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Unknown:
    """What a preview does not know yet. There is one, `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Decoded:
    """Plain values, and the names of the top-level properties that hold a secret anywhere inside."""

    values: Values
    secrets: frozenset[str]


def decode(struct: Struct) -> Decoded:
    """Plain values of a Struct; whole numbers become ints.

    Raises:
        GoldfleetError: it holds an asset, an archive or a reference to a resource, which no provider here takes.
    """
    secrets: set[str] = set()
    values: Values = {}
    for name, value in struct.fields.items():
        found: list[bool] = []
        values[name] = _plain(name, value, found)
        if found:
            secrets.add(name)
    return Decoded(values, frozenset(secrets))


def _plain(name: str, value: Value, secrets: list[bool]) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [_plain(name, item, secrets) for item in value.list_value.values]
        case "struct_value":
            return _plain_struct(name, value.struct_value, secrets)
        case _:
            return None


def _plain_struct(name: str, struct: Struct, secrets: list[bool]) -> Any:
    fields = struct.fields
    if SIGNATURE not in fields:
        return {key: _plain(name, item, secrets) for key, item in fields.items()}
    if fields[SIGNATURE].string_value != SECRET_MARK:
        raise GoldfleetError(name, "assets and references to resources are not taken", "pass plain values")
    secrets.append(True)
    return _plain(name, fields["value"], secrets)


def encode(values: Mapping[str, Any], secrets: Collection[str] = ()) -> Struct:
    """A Struct of plain values; the top-level properties named in `secrets` are marked as secret."""
    struct = Struct()
    for name, value in values.items():
        if value is None:
            continue
        field = struct.fields[name]
        if name in secrets:
            field.struct_value.fields[SIGNATURE].string_value = SECRET_MARK
            field = field.struct_value.fields["value"]
        _fill(field, value)
    return struct


def _fill(field: Value, value: Any) -> None:
    if value is None:
        field.null_value = 0
    elif value is UNKNOWN:
        field.string_value = UNKNOWN_TEXT
    elif isinstance(value, bool):
        field.bool_value = value
    elif isinstance(value, (int, float)):
        field.number_value = value
    elif isinstance(value, str):
        field.string_value = value
    elif isinstance(value, Mapping):
        field.struct_value.SetInParent()
        for key, item in value.items():
            _fill(field.struct_value.fields[key], item)
    elif isinstance(value, Sequence):
        field.list_value.SetInParent()
        for item in value:
            _fill(field.list_value.values.add(), item)
    else:
        raise TypeError(f"a property cannot hold {type(value).__name__}")


def has_unknown(value: Any) -> bool:
    """True if `UNKNOWN` is the value or is anywhere inside it."""
    if isinstance(value, Mapping):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(has_unknown(item) for item in value)
    return value is UNKNOWN

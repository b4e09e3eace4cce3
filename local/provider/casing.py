"""Values between Pulumi's casing and AWS's, both ways. Pure.

Pulumi writes `vpcId`, EC2 `VpcId`, CloudWatch Logs `logGroupName`, RDS `DBName`: equal when case is ignored.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from goldfleet.errors import GoldfleetError

_LEADING_CAPITALS = re.compile(r"^[A-Z]+(?=[A-Z][a-z]|$)|^[A-Z]")


def lower_camel(name: str) -> str:
    """`VpcId` -> `vpcId`, `DBName` -> `dbName`, `ARN` -> `arn`."""
    return _LEADING_CAPITALS.sub(lambda match: match.group().lower(), name)


def find_name(name: str, names: Sequence[str] | Mapping[str, Any]) -> str | None:
    """The one of `names` that equals `name` when case and a plural s are ignored."""
    folded = {candidate.casefold(): candidate for candidate in names}
    wanted = name.casefold()
    for form in (wanted, wanted + "s", wanted.removesuffix("s")):
        if form in folded:
            return folded[form]
    return None


def to_aws(value: Any, shape: Any, where: str) -> Any:
    """A value as an AWS parameter.

    Args:
        value: plain value in Pulumi's casing.
        shape: botocore's shape of the parameter.
        where: path of the property, for the error.

    Raises:
        GoldfleetError: a nested property that the service's model does not know.
    """
    match shape.type_name:
        case "structure":
            return _structure(value[0] if _is_list(value) and value else value, shape, where)
        case "list":
            items = value if _is_list(value) else [value]
            return [to_aws(item, shape.member, f"{where}[{index}]") for index, item in enumerate(items)]
        case "map":
            return {key: to_aws(item, shape.value, f"{where}.{key}") for key, item in value.items()}
        case _:
            return _scalar(value, shape.type_name)


def _structure(value: Any, shape: Any, where: str) -> Any:
    result = {}
    for key, item in value.items():
        if item is None:
            continue
        member = find_name(key, shape.members)
        if member is None:
            raise GoldfleetError(f"{where}.{key}", f"{shape.name} of AWS has no such member", "check its spelling")
        result[member] = to_aws(item, shape.members[member], f"{where}.{key}")
    return result


def _scalar(value: Any, kind: str) -> Any:
    match kind:
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "string":
            return str(value).lower() if isinstance(value, bool) else str(value)
        case _:
            return value


def from_aws(value: Any) -> Any:
    """A value of an AWS answer in Pulumi's casing."""
    if isinstance(value, Mapping):
        return {lower_camel(key): from_aws(item) for key, item in value.items()}
    if _is_list(value):
        return [from_aws(item) for item in value]
    return value.isoformat() if isinstance(value, dt.datetime) else value


def project(actual: Any, wanted: Any) -> Any:
    """What AWS has, seen through what the program wrote: the same value if they mean the same.

    Only keys that the program wrote are looked at: what AWS fills in is no drift. The order of a list is no drift
    either, for AWS gives sets back as lists.
    """
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        return {key: project(_member(actual, key), item) for key, item in wanted.items()}
    if isinstance(wanted, Mapping) and _is_list(actual) and len(actual) == 1:
        return project(actual[0], wanted)
    if _is_list(wanted) and isinstance(actual, Mapping):
        return project([actual], wanted)
    if _is_list(wanted) and _is_list(actual):
        return _project_list(actual, wanted)
    return wanted if _same_scalar(actual, wanted) else from_aws(actual)


def _project_list(actual: Sequence[Any], wanted: Sequence[Any]) -> Any:
    left = list(actual)
    for item in wanted:
        match = next((other for other in left if project(other, item) == item), None)
        if match is None:
            break
        left.remove(match)
    else:
        if not left:
            return wanted
    if len(actual) == len(wanted):
        return [project(other, item) for other, item in zip(actual, wanted, strict=True)]
    return [project(item, wanted[0]) if wanted else from_aws(item) for item in actual]


def _member(actual: Mapping[str, Any], key: str) -> Any:
    name = find_name(key, actual)
    return None if name is None else actual[name]


def _same_scalar(actual: Any, wanted: Any) -> bool:
    if type(actual) is type(wanted):
        return bool(actual == wanted)
    if actual is None or wanted is None:
        # AWS leaves out what is empty or off.
        return not (actual or wanted)
    if isinstance(actual, bool) or isinstance(wanted, bool):
        return str(actual).lower() == str(wanted).lower()
    if isinstance(actual, (int, float)) or isinstance(wanted, (int, float)):
        number = _number(wanted)
        return number is not None and number == _number(actual)
    return False


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def same_json(one: Any, other: Any) -> bool:
    """True if two JSON documents, each as text or parsed, mean the same."""
    return bool(_parsed(one) == _parsed(other))


def _parsed(document: Any) -> Any:
    if not isinstance(document, str):
        return document
    try:
        return json.loads(document)
    except ValueError:
        return document


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))

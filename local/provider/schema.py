"""What the installed SDK and AWS's own schemas say of the types that rows know: generated, see `generate.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("schema.json")


@dataclass(frozen=True)
class Schema:
    """What is said of one type.

    Args:
        inputs: names.
        outputs: name -> `bool`, `int`, `float`, `str`, `list` of these, or `other`.
        replaces: names of the inputs whose change needs a new resource.
    """

    inputs: tuple[str, ...]
    outputs: Mapping[str, str]
    replaces: frozenset[str]


@cache
def schemas() -> Mapping[str, Schema]:
    """Type token -> schema."""
    return {
        token: Schema(tuple(entry["inputs"]), entry["outputs"], frozenset(entry["replaces"]))
        for token, entry in json.loads(FILE.read_text()).items()
    }

"""The engine's protocol: the generated modules of the Pulumi SDK, without the SDK itself.

`import pulumi` takes longer than a plugin may take to start (0.5 s instead of 0.2 s). The generated modules only
import each other, so they are loaded inside bare packages, which are taken away again: a later `import pulumi` finds
the SDK as usual, and these same modules in it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_PACKAGES = ("pulumi", "pulumi.runtime", "pulumi.runtime.proto")


def _load(*names: str) -> list[Any]:
    """The modules `names` of the package `pulumi.runtime.proto`."""
    bare = {} if _PACKAGES[0] in sys.modules else _bare_packages()
    sys.modules.update(bare)
    try:
        return [importlib.import_module(f"{_PACKAGES[-1]}.{name}") for name in names]
    finally:
        for name in bare:
            del sys.modules[name]


def _bare_packages() -> dict[str, ModuleType]:
    spec = importlib.util.find_spec(_PACKAGES[0])
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("the package pulumi is not installed", name="pulumi")
    packages: dict[str, ModuleType] = {}
    for name in _PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(Path(spec.origin).parent.joinpath(*name.split(".")[1:]))]
        packages[name] = package
    return packages


engine, engine_grpc, plugin, provider, provider_grpc, status = _load(
    "engine_pb2", "engine_pb2_grpc", "plugin_pb2", "provider_pb2", "provider_pb2_grpc", "status_pb2"
)

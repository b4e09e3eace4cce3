"""The program of a stack, imported in the background: the SDK's modules take a second, the engine's start another."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType

from goldfleet.cli.checkout import CHECKOUT

_SERVICE = re.compile(r"\baws\.([a-z0-9]+)\.")


class Program:
    """`infra.stack` and all that it needs; importing begins at once, a call waits for its end."""

    def __init__(self) -> None:
        self._main: Future[Callable[[], None]] = ThreadPoolExecutor(1, "import the program").submit(_import)

    def __call__(self) -> None:
        """Declares the resources, for the engine; raises what stopped the import."""
        self._main.result()()


def _import() -> Callable[[], None]:
    main: Callable[[], None] = importlib.import_module("infra.stack").main
    sdk = importlib.import_module("pulumi_aws")
    for service in sorted(_services(sdk)):
        # The SDK loads a service when it is first asked for something.
        getattr(sdk, service).__getattribute__("__path__")
    return main


def _services(sdk: ModuleType) -> set[str]:
    """Services of the AWS SDK that the program's files name."""
    text = "".join(path.read_text() for path in (CHECKOUT / "infra").glob("*.py"))
    return {name for name in _SERVICE.findall(text) if isinstance(vars(sdk).get(name), ModuleType)}

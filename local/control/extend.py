"""How this package changes moto: a subclass takes the place of moto's own class, so that `super()` is moto's answer."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse


def use_backend(backends: BackendDict[Any], subclass: type[BaseBackend]) -> None:
    """Makes every account and region use `subclass`; call it before the first request."""
    subclass.__module__ = backends.backend.__module__  # moto finds a backend's URLs next to its module
    backends.backend = subclass


def use_response(urls: ModuleType, original: type[BaseResponse], subclass: type[BaseResponse]) -> None:
    """Sends all requests of a service that went to `original` to `subclass`."""
    for path, handler in urls.url_paths.items():
        if getattr(handler, "__self__", None) is original:
            urls.url_paths[path] = getattr(subclass, handler.__name__)


def use_model(original: type[Any], subclass: type[Any], *modules: ModuleType) -> None:
    """Makes `modules` use `subclass` where they used `original`.

    Raises:
        AttributeError: a module knows no such class, so that moto has moved on.
    """
    for module in modules:
        if getattr(module, original.__name__) is not original:
            raise AttributeError(f"{module.__name__}.{original.__name__} is not moto's own")
        setattr(module, original.__name__, subclass)

"""Paginated AWS calls as one list."""

from __future__ import annotations

from typing import Any


def pages(client: Any, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    """All items of a paginated call.

    Args:
        client: boto3 client.
        operation: its name in boto3.
        key: where a page has its items.
        arguments: of the call.
    """
    paginator = client.get_paginator(operation)
    return [item for page in paginator.paginate(**arguments) for item in page[key]]

"""`python -m local.provider NAME [ENGINE]`: serves the plugin `aws` or `random`."""

from __future__ import annotations

import sys

from goldfleet.servicer import serve


def main() -> None:
    """Serves the plugin that the first argument names; only that one is loaded."""
    name = sys.argv.pop(1)
    if name == "random":
        from local.provider.random_values import RANDOM  # noqa: PLC0415  boto3 takes 0.3 s to load

        serve(RANDOM)
    else:
        from local.provider.plugin import aws_provider  # noqa: PLC0415

        serve(aws_provider())


main()

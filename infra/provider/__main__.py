"""The plugin's process."""

from __future__ import annotations

from pathlib import Path

from goldfleet.servicer import Provider, serve
from infra.provider.aws import Aws
from infra.provider.capacity import Capacity
from infra.provider.golden_image import GoldenImage
from infra.provider.rollout import Rollout

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    aws = Aws()
    serve(
        Provider(
            "goldfleet",
            "0.1.0",
            {
                "goldfleet:index:GoldenImage": GoldenImage(aws, ROOT),
                "goldfleet:index:Capacity": Capacity(aws),
                "goldfleet:index:Rollout": Rollout(aws),
            },
            configure=aws.configure,
        )
    )

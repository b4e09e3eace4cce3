"""The table of controls is complete, its page is the one that is committed, and what applies holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import controls
from tests.infra.control_checks import account, balancer, fleet, stores
from tests.infra.recorder import Resources

CONCERNED = {
    "EC2": "1 2 3 4 6 7 8 9 10 12 13 14 15 16 17 18 19 21 24 25 28 53 54 55 56 57 58 60 170 172 180 181 182",
    "SSM": "1 2 3",
    "AutoScaling": "1 2 3 4 5 6 9",
    "ELB": "1 4 5 6 12 13 16 17 18 21 22",
    "ACM": "1 2",
    "WAF": "10 11 12",
    "RDS": "1 2 3 4 5 6 8 9 10 11 13 17 18 19 20 21 22 23 25 26 36 38 39 40 41 42 43 44 46",
    "ElastiCache": "1 2 3 4 5 6 7",
    "S3": "1 2 3 5 6 8 9 12 13 14 15 17",
    "IAM": "1 2 3 4 5 7 8 10 15 21",
    "KMS": "1 2 3 4 5",
    "SecretsManager": "1 2 3 4",
    "CloudTrail": "1 2 4 5 6 7",
    "CloudWatch": "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
    "SNS": "1 4",
    "SQS": "1 3",
    "Backup": "1",
}
RETIRED = {"EC2.22", "S3.10", "S3.11", "S3.20", *(f"IAM.{n}" for n in (9, 11, 12, 13, 14, 16, 17, 18, 19, 20))}
ROWS = {control.id: control for control in controls.controls()}
APPLIES = sorted(
    key for key, control in ROWS.items() if control.status == "applies" and not control.where.startswith("image/")
)
"""What images must meet, `tests/image/registry/test_controls.py` reads."""
CHECKS = {**fleet.CHECKS, **balancer.CHECKS, **stores.CHECKS, **account.CHECKS}

STACKS: dict[str, tuple[str, dict[str, Any]]] = {
    "prod": ("prod", {"app": {"environment": {}, "secrets": ["stripe"]}, "balancer.allowed_cidrs": ["0.0.0.0/0"]}),
    "three-shards": ("prod", {"database.shards": 3, "network.zones": ["a", "b"], "network.nat": "single"}),
    "least": (
        "prod",
        {
            "sessions": {},
            "cache": {"replicas": 0},
            "database": {"replicas": 0},
            "fleet": {},
            "alarms": {"email": "ops@example.com"},
        },
    ),
}


def test_every_control_has_a_row() -> None:
    wanted = {f"{service}.{number}" for service, numbers in CONCERNED.items() for number in numbers.split()} | RETIRED
    assert set(ROWS) == wanted


def test_every_row_says_why_and_what_applies_says_where() -> None:
    for control in ROWS.values():
        assert control.status in controls.STATUSES
        assert control.reason
        assert bool(control.where) == (control.status == "applies"), control.id
        assert not control.where or (Path(controls.DOCS).parent / control.where).is_file(), control.id


def test_the_page_is_the_table() -> None:
    assert controls.PAGE.read_text() == controls.page(), "run: python -m infra.controls"


def test_what_applies_is_read() -> None:
    assert sorted(CHECKS) == APPLIES


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("control", APPLIES)
def test_a_control_holds(made: Callable[..., Resources], control: str, stack: str) -> None:
    CHECKS[control](made(*STACKS[stack]))


DEV_MAY_DIFFER = {
    "ELB.1",
    "ELB.18",
    "ELB.17",
    "ACM.1",
    "ACM.2",
    "EC2.18",
    "EC2.19",
    "EC2.13",
    "EC2.14",
    "EC2.53",
    "EC2.54",
}


@pytest.mark.parametrize("control", sorted(set(APPLIES) - DEV_MAY_DIFFER))
def test_dev_turns_down_size_not_safety(made: Callable[..., Resources], control: str) -> None:
    """All but what its plain HTTP, its allowed addresses and its name decide."""
    CHECKS[control](made("dev"))

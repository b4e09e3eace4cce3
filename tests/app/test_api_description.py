"""What the API says about itself, tried by what it says: whatever is sent, the answer is as described, and no 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from app import api
from goldfleet.contract.environment import Environment
from tests.app.served import Served, serving

schema = schemathesis.openapi.from_dict(api.create().openapi())


@pytest.fixture(scope="module")
def served(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(environment, tmp_path_factory.mktemp("served") / "output") as made:
        yield made


@schema.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case[Any], served: Served) -> None:
    # JSON Schema cannot say which characters a name may have, so what fits the schema may still be refused.
    refused: Any = CHECKS.get_one("positive_data_acceptance")
    case.call_and_validate(base_url=f"{served.url}/api", excluded_checks=[refused])

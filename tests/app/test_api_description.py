"""What the API says about itself, tried by what it says: whatever is sent, the answer is as described, and no 5xx.

Every operation is called by a stranger and by who is logged in, with the session's token and without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from app import api
from goldfleet.contract.environment import Environment
from tests.app.conftest import PASSWORD, new_name
from tests.app.served import Served, serving

schema = schemathesis.openapi.from_dict(api.create().openapi())

# JSON Schema cannot say which characters a name may have, so what fits the schema may still be refused.
REFUSED: Any = CHECKS.get_one("positive_data_acceptance")
EXAMPLES = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))


class Person:
    """Somebody who is logged in, whatever they are made to ask for."""

    def __init__(self, http: httpx.Client) -> None:
        self._account = {"name": new_name(), "password": PASSWORD}
        self._http = http
        self._token = ""
        self._enter("/v1/users")

    def headers(self) -> dict[str, str]:
        """Of their next request; if their last one has logged them out, they log in again."""
        if self._http.get("/v1/session").status_code != httpx.codes.OK:
            self._enter("/v1/session")
        return {"Cookie": f"session={self._http.cookies['session']}", "X-CSRF-Token": self._token}

    def _enter(self, path: str) -> None:
        answer = self._http.post(path, json=self._account)
        assert answer.is_success, answer.text
        self._token = answer.json()["csrf_token"]


@pytest.fixture(scope="module")
def served(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(environment, tmp_path_factory.mktemp("served") / "output") as made:
        yield made


@pytest.fixture(scope="module")
def person(served: Served) -> Iterator[Person]:
    with httpx.Client(base_url=f"{served.url}/api") as http:
        yield Person(http)


@schema.parametrize()
@EXAMPLES
def test_every_answer_to_a_stranger_is_as_described(case: schemathesis.Case[Any], served: Served) -> None:
    case.call_and_validate(base_url=f"{served.url}/api", excluded_checks=[REFUSED])


@schema.parametrize()
@EXAMPLES
def test_every_answer_to_who_is_logged_in_is_as_described(
    case: schemathesis.Case[Any], served: Served, person: Person
) -> None:
    headers = person.headers()
    if case.headers and "x-csrf-token" in {name.lower() for name in case.headers}:
        del headers["X-CSRF-Token"]  # the description's own try, nearly always a wrong one
    case.call_and_validate(base_url=f"{served.url}/api", headers=headers, excluded_checks=[REFUSED])

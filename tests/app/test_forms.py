from __future__ import annotations

import pytest

from app.forms import local_target, parse
from app.problems import Problem


def test_text_is_utf_8() -> None:
    assert parse(b"name=Jos%C3%A9&text=a+b%26&text=") == {"name": ["José"], "text": ["a b&", ""]}
    assert parse("name=José".encode()) == {"name": ["José"]}


@pytest.mark.parametrize("body", [b"name=%FF", b"name=\xff", b"name=%ED%A0%80", b"&".join([b"a=1"] * 21)])
def test_what_is_no_form_in_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse(body)
    assert caught.value.status_code == 400


@pytest.mark.parametrize("target", ["/", "/users/anna", "/users/jos%C3%A9?x=1#y", "/a//b"])
def test_a_path_of_this_site_is_a_target(target: str) -> None:
    assert local_target(target) == target


@pytest.mark.parametrize(
    "target",
    ["", "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
     "/\t/evil.example", "/\n/evil.example", "evil.example", " //evil.example", "/a\\b"],
)  # fmt: skip
def test_nothing_else_is(target: str) -> None:
    assert local_target(target) == "/"

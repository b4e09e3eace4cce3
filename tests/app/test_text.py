from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import text
from app.problems import Problem


@pytest.mark.parametrize("name", ["Ann", "anna-maria_2", "Жанна", "李小龙", "a" * 30, "josé"])
def test_names_of_any_script_are_taken_as_they_are(name: str) -> None:
    assert text.name(name) == name


def test_a_name_is_brought_to_normal_form() -> None:
    assert text.name("jose\u0301") == "jos\u00e9"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 31,
        "a b c",
        "a/b",
        "<script>",
        "a\x00bc",
        "ab\ud800",
        "a\u200bbc",
        "ab\u202ec",
        "½½½",
        "a.b.c",
        "😀😀😀",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(Problem) as caught:
        text.name(name)
    assert (caught.value.status_code, caught.value.field) == (422, "name")


@pytest.mark.parametrize("other", ["ANNA", "Anna", "\uff41\uff4e\uff4e\uff41"])
def test_spellings_of_one_name_have_one_key(other: str) -> None:
    assert text.name_key(other) == text.name_key("anna")


@given(st.text(max_size=40))
def test_a_name_that_is_taken_stays_as_it_is(raw: str) -> None:
    try:
        name = text.name(raw)
    except Problem:
        return
    assert text.name(name) == name
    assert text.name_key(text.name_key(name)) == text.name_key(name)


def test_a_password_has_at_most_128_bytes_not_characters() -> None:
    assert text.password("é" * 64) == ("é" * 64).encode()
    with pytest.raises(Problem):
        text.password("é" * 65)


@pytest.mark.parametrize("password", ["", "1234567", "12345678\x00", "12345678\ud800", "x" * 129])
def test_other_passwords_are_refused(password: str) -> None:
    with pytest.raises(Problem) as caught:
        text.password(password)
    assert (caught.value.status_code, caught.value.field) == (422, "password")


def test_line_breaks_of_a_post_are_kept_in_one_form() -> None:
    assert text.post("  one\r\ntwo\rthree\n") == "one\ntwo\nthree"


def test_a_post_has_1_to_500_characters() -> None:
    assert len(text.post("😀" * 500)) == 500
    for post in ("", " \n ", "x" * 501, "bell\x07", "null\x00", "half\udfff"):
        with pytest.raises(Problem) as caught:
            text.post(post)
        assert (caught.value.status_code, caught.value.field) == (422, "text")

"""What a person must see of their own posts, over all that can be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaos.own_posts import PAGE, OwnPosts, Shown

COUNT = st.integers(0, 2 * PAGE)


def posts(count: int) -> dict[int, str]:
    return {id_: f"text {id_}" for id_ in range(1, count + 1)}


def page(texts: dict[int, str], author: str = "ada") -> list[Shown]:
    return [Shown(id_, author, texts[id_]) for id_ in sorted(texts, reverse=True)[:PAGE]]


@given(COUNT)
def test_the_latest_page_is_right(count: int) -> None:
    assert OwnPosts("ada", sure=posts(count)).wrong_with(page(posts(count))) is None


@given(COUNT, st.data())
def test_a_missing_one_is_seen(count: int, data: st.DataObject) -> None:
    shown = page(posts(count))
    if shown:
        gone = data.draw(st.sampled_from(shown))
        left = page({id_: text for id_, text in posts(count).items() if id_ != gone.id})
        wrong = OwnPosts("ada", sure=posts(count)).wrong_with(left)
        assert wrong is not None
        assert wrong.missing == (gone.id,)


@given(COUNT)
def test_what_an_earlier_session_wrote_may_be_late(count: int) -> None:
    own = OwnPosts("ada", sure=posts(count))
    own.new_session()
    assert own.wrong_with([]) is None
    assert own.wrong_with(page(posts(count))) is None


def test_what_nobody_acknowledged_may_be_shown_or_not() -> None:
    own = OwnPosts("ada", sure=posts(1), unknown={"perhaps"})
    assert own.wrong_with(page(posts(1))) is None
    assert own.wrong_with(page({**posts(1), 2: "perhaps"})) is None
    assert own.wrong_with(page({2: "perhaps"})) is not None


def test_other_lies() -> None:
    own = OwnPosts("ada", sure=posts(2))
    assert own.wrong_with(page(posts(2), author="bob")) is not None
    assert own.wrong_with(page({**posts(2), 3: "never written"})) is not None
    assert own.wrong_with(page({1: "text 1", 2: "changed"})) is not None
    assert own.wrong_with(list(reversed(page(posts(2))))) is not None
    assert own.wrong_with([*page(posts(2)), *page(posts(1))]) is not None


def test_an_answer_as_to_a_stranger_may_lack_what_was_just_written_and_shows_nothing_false() -> None:
    own = OwnPosts("ada", sure=posts(3))
    assert own.wrong_with(page(posts(2)), stranger=True) is None
    assert own.wrong_with(page(posts(2))) is not None
    assert own.wrong_with([Shown(9, "ada", "never written")], stranger=True) is not None

"""`goldfleet image`: every verb teaches itself; what a lock's move is called."""

from __future__ import annotations

import pytest

from goldfleet.cli.__main__ import main
from goldfleet.cli.verbs import image
from goldfleet.cli.verbs.image.update import describe
from image.os_layer.lock import Change


@pytest.mark.parametrize("verb", image.VERBS)
def test_every_verb_shows_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["image", verb, "--help"])
    assert ended.value.code == 0
    assert f"goldfleet image {verb}" in capsys.readouterr().out.partition("examples:")[2]


def test_a_group_without_a_verb_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["image"])
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("bash", "", "5.2"), "added    bash 5.2"),
        (Change("bash", "5.2", ""), "removed  bash 5.2"),
        (Change("bash", "5.2", "5.3"), "changed  bash 5.2 -> 5.3"),
        (Change("bash", "5.2", "5.2"), "replaced bash 5.2: other bytes under the same version"),
    ],
)
def test_a_change_of_the_lock_is_told_in_words(change: Change, words: str) -> None:
    assert describe(change) == words

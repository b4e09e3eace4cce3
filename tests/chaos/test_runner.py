"""The table: what a fault does wrong breaks its own line only, is undone, and is told to people and to programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

import chaos.faults
from chaos.fault import Fault, NotHere, NotSoon, Scene
from chaos.fleet import Fleet
from chaos.line import OVER, STRUCK, Line
from chaos.result import Result, Verdict, legend, table
from chaos.runner import run
from goldfleet.errors import LocalCloudError, SettingsError


class Whole:
    """A fleet that is whole and lets itself be broken."""

    made_whole = 0

    def make_whole(self) -> None:
        self.made_whole += 1

    @contextmanager
    def unscaled(self) -> Iterator[None]:
        yield


def ran(strike: Callable[[Scene], None], broken: Callable[[Line], list[str]] = lambda _: []) -> Result:
    fault = Fault("odd", "what", "promise", "published", strike, broken, load=False)
    (result,) = run([fault], cast("Fleet", Whole()), 1, 1, lambda _: None)
    json.dumps(result.as_json())
    return result


def fine(scene: Scene) -> None:
    scene.mark(STRUCK)
    scene.note("figure", 7)
    scene.until(OVER, lambda: True, 1)


def test_a_kept_promise() -> None:
    result = ran(fine)
    assert result.verdict is Verdict.KEPT
    assert result.as_json()["facts"] == {"figure": 7}
    assert table([result]).row_count == 1
    assert list(legend([result])) == ["odd: what", "  promise: promise", "  AWS publishes: published"]


def test_a_broken_promise_says_how() -> None:
    result = ran(fine, lambda line: [f"figure {line.facts['figure']}"])
    assert result.verdict is Verdict.BROKEN
    assert "  BROKEN in round 1: figure 7" in list(legend([result]))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotSoon("not over within 3 s"), "not over within 3 s"),
        (LocalCloudError("a store", "does not run", "start it"), "a store: does not run"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_what_goes_wrong_in_a_fault_breaks_its_line(error: Exception, said: str) -> None:
    undone: list[bool] = []

    def strike(scene: Scene) -> None:
        scene.undo.callback(undone.append, True)
        raise error

    result = ran(strike)
    assert result.broken == (said,)
    assert undone == [True]


def test_what_cannot_be_undone_breaks_its_line() -> None:
    def strike(scene: Scene) -> None:
        scene.undo.callback(lambda: 1 / 0)

    result = ran(strike)
    assert result.broken == ("ZeroDivisionError: division by zero",)


def test_what_waits_has_a_bound() -> None:
    result = ran(lambda scene: scene.until(OVER, lambda: False, 0))
    assert result.broken == ("not over within 0 s",)


def test_what_this_machine_does_not_allow_is_skipped() -> None:
    def strike(_: Scene) -> None:
        raise NotHere("only root can do that")

    result = ran(strike)
    assert result.verdict is Verdict.SKIPPED
    assert "  skipped in round 1: only root can do that" in list(legend([result]))


def test_rounds_and_order() -> None:
    faults = [Fault(name, "", "", "", fine, lambda _: [], load=False) for name in ("a", "b")]
    fleet = Whole()
    results = list(run(faults, cast("Fleet", fleet), 1, 3, lambda _: None))
    assert [(result.fault.name, result.round) for result in results] == [(n, r) for r in (1, 2, 3) for n in ("a", "b")]
    assert fleet.made_whole == 6


def test_every_fault_has_a_name_of_its_own_a_promise_and_what_aws_publishes() -> None:
    assert len({fault.name for fault in chaos.faults.ALL}) == len(chaos.faults.ALL)
    assert all(fault.what and fault.promise and fault.published for fault in chaos.faults.ALL)


def test_choosing() -> None:
    assert chaos.faults.chosen([]) == list(chaos.faults.ALL)
    names = ["scale", "clone-killed"]
    assert [fault.name for fault in chaos.faults.chosen(names[::-1])] == names
    with pytest.raises(SettingsError, match="there is no such fault"):
        chaos.faults.chosen(["scale", "nothing"])

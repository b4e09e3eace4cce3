"""The base with the real engine: what a person sees, what the state keeps."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi.automation import EngineEvent

from goldfleet.errors import GoldfleetError
from goldfleet.servicer.values import SECRET_MARK

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """The SDK leaves its event loop open when the engine goes away first: that is said here, not in another test."""
    yield
    gc.collect()


def resources(desk: Any) -> dict[str, Any]:
    """The notes in the state, by name."""
    found = json.loads(desk.state())["checkpoint"]["latest"].get("resources", [])
    return {entry["urn"].rpartition("::")[2]: entry for entry in found if "notes:index:Note" in entry["urn"]}


def test_values_arrive_as_they_were_written(desk: Any) -> None:
    properties = {"count": 3, "ratio": 0.5, "on": False, "list": ["a", None, 2], "deep": {"x": {"y": 1}}, "empty": []}
    desk.engine(lambda: desk.note("first", **properties) and None).up()
    assert desk.written()["first"] == {"language": "en", **properties}
    assert type(desk.written()["first"]["count"]) is int


def test_a_removed_input_is_an_update_and_no_change_is_none(desk: Any) -> None:
    desk.engine(lambda: desk.note("first", text="a", extra="b") and None).up()
    engine = desk.engine(lambda: desk.note("first", text="a") and None)
    assert engine.preview()["update"] == 1
    engine.up()
    assert desk.written()["first"] == {"language": "en", "text": "a"}
    assert "update" not in engine.preview()


def test_a_property_that_replaces(desk: Any) -> None:
    desk.engine(lambda: desk.note("first", language="en") and None).up()
    assert desk.engine(lambda: desk.note("first", language="de") and None).preview()["replace"] == 1


def test_a_preview_makes_nothing_and_passes_unknowns_on(desk: Any) -> None:
    def program() -> None:
        first = desk.note("first", text="a")
        desk.note("second", text=first.path, deep={"of": [first.path]})

    assert desk.engine(program).preview()["create"] >= 2
    assert desk.written() == {}
    desk.engine(program).up()
    assert desk.written()["second"]["deep"]["of"] == [desk.written()["second"]["text"]]


def test_secrets_stay_secret_after_refresh(desk: Any) -> None:
    engine = desk.engine(lambda: desk.note("first", text=pulumi.Output.secret("hush-hush")) and None)
    engine.up()
    engine.refresh()
    assert desk.written()["first"]["text"] == "hush-hush"
    assert "hush-hush" not in desk.state()
    for part in ("inputs", "outputs"):
        assert SECRET_MARK in json.dumps(resources(desk)["first"][part]["text"])


def test_what_is_gone_is_made_again_after_refresh(desk: Any) -> None:
    engine = desk.engine(lambda: desk.note("first", text="a") and None)
    engine.up()
    (desk.notes / "first.json").write_text(json.dumps({"language": "en", "text": "drift"}))
    engine.refresh()
    assert engine.preview()["update"] == 1
    (desk.notes / "first.json").unlink()
    engine.refresh()
    engine.up()
    assert desk.written()["first"]["text"] == "a"


def test_import_keeps_what_is_there(desk: Any) -> None:
    (desk.notes / "old.json").write_text(json.dumps({"language": "en", "text": "a"}))
    options = pulumi.ResourceOptions(import_="old")
    desk.engine(lambda: desk.note("first", text="a", opts=options) and None).up()
    assert resources(desk)["first"]["id"] == "old"


def test_a_failed_check_names_resource_and_property(desk: Any) -> None:
    with pytest.raises(GoldfleetError, match=r"first: .*count.* must not be negative"):
        desk.engine(lambda: desk.note("first", count=-1) and None).up()


def test_a_failure_before_anything_was_made_is_one_sentence_and_no_state(desk: Any) -> None:
    with pytest.raises(GoldfleetError) as caught:
        desk.engine(lambda: desk.note("first", fail="before") and None).up()
    assert (caught.value.where, caught.value.what) == ("first", "note: the pen is dry; buy ink")
    assert resources(desk) == {}


def test_a_failure_after_it_was_made_keeps_it_for_the_next_up(desk: Any) -> None:
    with pytest.raises(GoldfleetError, match="the ink ran"):
        desk.engine(lambda: desk.note("first", fail="after", text=pulumi.Output.secret("hush")) and None).up()
    assert resources(desk)["first"]["id"] == "first"
    assert "hush" not in desk.state()
    desk.engine(lambda: desk.note("first", text="a") and None).up()
    assert desk.written()["first"] == {"language": "en", "text": "a"}


def test_calls_run_side_by_side(desk: Any) -> None:
    desk.engine(lambda: [desk.note(f"n{i}", together=True) for i in range(6)] and None).up()
    assert len(desk.written()) == 6


def test_progress_is_on_the_row_and_a_timeout_is_one_sentence(desk: Any) -> None:
    rows: list[tuple[str, str]] = []

    def observe(event: EngineEvent) -> None:
        if (diagnostic := event.diagnostic_event) and diagnostic.ephemeral:
            rows.append(((diagnostic.urn or "").rpartition("::")[2], diagnostic.message.strip()))

    options = pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1s"))
    with pytest.raises(GoldfleetError, match="first: not thought through after 1 seconds"):
        desk.engine(lambda: desk.note("first", slow=True, opts=options) and None).up(observe)
    assert ("first", "thinking") in rows
    assert ("first", "waiting until thought through") in rows


def test_cancel_stops_what_is_at_work(desk: Any, interrupt: Callable[[EngineEvent], None]) -> None:
    with pytest.raises(KeyboardInterrupt):
        desk.engine(lambda: desk.note("first", slow=True) and None).up(interrupt)
    assert resources(desk) == {}


def test_functions_and_configuration(desk: Any) -> None:
    def program() -> None:
        notes = pulumi.ProviderResource("notes", "named", {"tags": json.dumps({"a": "b"}), "account": "0123"})
        heard = pulumi.runtime.invoke_output("notes:index:shout", {"text": "hey"}, pulumi.InvokeOptions(provider=notes))
        pulumi.export("heard", heard["text"])

    assert desk.engine(program).up() == {"heard": "HEY"}
    assert json.loads((desk.notes / "configured").read_text()) == {"tags": {"a": "b"}, "account": "0123"}


def test_an_unknown_type_is_named(desk: Any) -> None:
    with pytest.raises(GoldfleetError, match="notes:index:Letter: the provider notes does not know it"):
        desk.engine(lambda: pulumi.CustomResource("notes:index:Letter", "first", {}) and None).up()

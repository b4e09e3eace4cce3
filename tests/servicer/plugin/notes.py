"""A provider for the tests: a note is a JSON file in a folder. Run as a plugin, never imported."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from goldfleet.errors import GoldfleetError
from goldfleet.servicer import (
    UNKNOWN,
    CheckFailure,
    Context,
    Existing,
    PartlyMade,
    Provider,
    Resource,
    Values,
    serve,
)

FOLDER = Path(os.environ["NOTES"])
TOGETHER = threading.Barrier(6)


class Note(Resource):
    replace_on = frozenset({"language"})

    def check(self, new: Values, old: Values, context: Context) -> tuple[Values, list[CheckFailure]]:
        failures = [CheckFailure("count", "must not be negative")] if new.get("count") in (-1,) else []
        return {"language": "en", **new}, failures

    def create(self, inputs: Values, context: Context) -> tuple[str, Values]:
        if context.preview:
            return "", {**inputs, "path": UNKNOWN}
        if inputs.get("together"):
            TOGETHER.wait(20)
        if inputs.get("slow"):
            context.progress("thinking")
            context.wait_for("thought through", lambda: None, 60)
        if inputs.get("fail") == "before":
            raise GoldfleetError("note", "the pen is dry", "buy ink")
        state = self._write(context.name, inputs)
        if inputs.get("fail") == "after":
            raise PartlyMade(context.name, state, "the ink ran")
        return context.name, state

    def read(self, old: Existing, context: Context) -> Existing | None:
        path = FOLDER / f"{old.id}.json"
        if not path.exists():
            return None
        inputs = json.loads(path.read_text())
        return Existing(old.id, inputs, {**inputs, "path": str(path)})

    def update(self, old: Existing, new: Values, context: Context) -> Values:
        return new if context.preview else self._write(old.id, new)

    def delete(self, old: Existing, context: Context) -> None:
        (FOLDER / f"{old.id}.json").unlink(missing_ok=True)

    @staticmethod
    def _write(name: str, inputs: Values) -> Values:
        path = FOLDER / f"{name}.json"
        path.write_text(json.dumps(inputs))
        return {**inputs, "path": str(path)}


def shout(args: Values) -> Values:
    return {"text": args["text"].upper()}


def configure(args: Values) -> None:
    (FOLDER / "configured").write_text(json.dumps(args))


if __name__ == "__main__":
    serve(Provider("notes", "0.1.0", {"notes:index:Note": Note()}, {"notes:index:shout": shout}, configure))

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goldfleet.state.ids import Ids, logical_shard_of, random_logical_shard
from goldfleet.state.state import State
from tests.state.conftest import DATABASE
from tests.stores import Stores

DOCS = Path(__file__).parents[2] / "docs"


async def run(page: str, names: Mapping[str, Any], at_least: int) -> None:
    path = DOCS / page
    blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= at_least
    scope = dict(names)
    for block in blocks:
        code = compile(block, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        result = eval(code, scope)
        if inspect.isawaitable(result):
            await result


async def test_the_examples_of_the_state_library_run(prepared: Stores, tmp_path: Path) -> None:
    names = {
        "variables": prepared.environment(DATABASE).to_variables(),
        "owner": prepared.owner(DATABASE),
        "folder": str(tmp_path),
        "password_file": prepared.app_password_file,
    }
    await run("state-library.md", names, 7)


async def test_the_examples_of_cached_objects_run(state: State) -> None:
    ids = Ids()
    ada = ids.new(random_logical_shard())
    others = {"bob": ids.new(random_logical_shard()), "paper": ids.new(logical_shard_of(ada))}
    await run("cached-objects.md", {"state": state, "ada": ada, **others}, 4)

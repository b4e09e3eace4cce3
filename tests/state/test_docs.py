from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

from tests.state.conftest import DATABASE
from tests.stores import Stores

PAGE = Path(__file__).parents[2] / "docs" / "state-library.md"


async def test_every_example_of_the_page_runs(prepared: Stores, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 7
    names: dict[str, Any] = {
        "variables": prepared.environment(DATABASE).to_variables(),
        "owner": prepared.owner(DATABASE),
        "folder": str(tmp_path),
        "password_file": prepared.app_password_file,
    }
    for block in blocks:
        code = compile(block, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)
        if inspect.isawaitable(result):
            await result

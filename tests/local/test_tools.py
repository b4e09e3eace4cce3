"""Order of discovery, with small programs in the servers' place; and the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from goldfleet.errors import ToolMissing
from local.tools import HAPROXY, POSTGRESQL, VALKEY, Tool, find


def programs(folder: Path, version: str, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        path = folder / name
        path.write_text(f"#!/bin/sh\necho '{name} (Some) {version} built 1.2'\n")
        path.chmod(0o755)
    return folder


def tool(*system: Path, wheel: str = "no_such_package") -> Tool:
    def folders() -> Iterator[Path]:
        yield from system

    return replace(VALKEY, variable="TEST_BIN", system=folders, wheel=(wheel, "bin"))


def test_the_named_folder_comes_first(tmp_path: Path) -> None:
    named, system = (programs(tmp_path / name, "9.1.0", "valkey-server") for name in ("named", "system"))
    assert find(tool(system), {"TEST_BIN": str(named)}).folder == named
    assert find(tool(system), {}).folder == system
    assert find(tool(system), {})["valkey-server"] == str(system / "valkey-server")


def test_an_old_one_of_the_system_is_passed_over_but_a_named_one_is_an_error(tmp_path: Path) -> None:
    old = programs(tmp_path / "old", "7.2.1", "valkey-server")
    new = programs(tmp_path / "new", "8.0.1", "valkey-server")
    assert find(tool(old, new), {}).version == (8, 0, 1)
    with pytest.raises(ToolMissing, match=r"TEST_BIN.*7\.2\.1.*Valkey 8\.0 or newer"):
        find(tool(new), {"TEST_BIN": str(old)})


def test_a_client_without_its_server_will_not_do(tmp_path: Path) -> None:
    client = programs(tmp_path / "client", "17.1", "psql")
    with pytest.raises(ToolMissing, match="lacks postgres, initdb, pg_basebackup"):
        find(replace(POSTGRESQL, system=lambda: iter([client]), wheel=("no_such_package", "")), {})


def test_a_program_that_fails_has_no_version(tmp_path: Path) -> None:
    broken = programs(tmp_path / "broken", "9.0", "valkey-server")
    (broken / "valkey-server").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(ToolMissing, match="does not tell its version"):
        find(tool(broken), {})


@pytest.mark.parametrize("real", [POSTGRESQL, VALKEY, HAPROXY], ids=lambda one: one.name)
def test_the_pinned_wheels_are_good_enough(real: Tool) -> None:
    found = find(replace(real, system=lambda: iter(())), {})
    assert "site-packages" in str(found.folder)
    assert found.version >= real.oldest

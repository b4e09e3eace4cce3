"""Every direct dependency is explained, at the version that is locked, and no other."""

from __future__ import annotations

import re

from goldfleet.cli.checkout import CHECKOUT

PAGE = CHECKOUT / "docs" / "decisions" / "dependencies.md"


def test_every_direct_dependency_has_a_line_of_its_own() -> None:
    for file in ("requirements.in", "app/requirements.in", "requirements-dev.in"):
        _, _, section = PAGE.read_text().partition(f"## `{file}`")
        explained = rows(section.partition("\n## ")[0])
        wanted = re.findall(r"^[A-Za-z0-9][\w.-]*", (CHECKOUT / file).read_text(), re.MULTILINE)
        assert explained == {name: locked()[normal(name)] for name in wanted}, file


def rows(section: str) -> dict[str, str]:
    """Package -> version of a table's rows."""
    found = re.findall(r"^\| ([\w.-]+)(?:\[\w+\])? \| ([\w.]+) \|", section, re.MULTILINE)
    return {package: version for package, version in found if package != "package"}


def locked() -> dict[str, str]:
    """Normal name -> version, of everything."""
    pins = re.findall(
        r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", (CHECKOUT / "requirements-dev.txt").read_text(), re.MULTILINE
    )
    return {normal(name): version for name, version in pins}


def normal(name: str) -> str:
    """A package's name as tools compare it (PyPA, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""What a page names exists: files, headings, verbs, targets, settings, programs, tests."""

from __future__ import annotations

import re
from pathlib import Path

from goldfleet.cli.__main__ import VERBS
from goldfleet.cli.checkout import CHECKOUT
from infra.settings.settings import Components

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")


def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, heading = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        assert not heading or heading in headings(file), link


def test_every_verb_exists(page: Path) -> None:
    named = set(re.findall(r"(?:`|\$ |/)goldfleet ([a-z]+)", page.read_text()))
    assert named <= set(VERBS), sorted(named - set(VERBS))


def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|\$ )make ([a-z-]+)", page.read_text()))
    assert named <= targets, sorted(named - targets)


def test_every_setting_exists(page: Path) -> None:
    """A text in code that begins with a component's name and a point is a setting, or else a module or file."""
    components = "|".join(Components.model_fields)
    named = {code for code in CODE.findall(page.read_text()) if re.fullmatch(rf"({components})\.[a-z_]+", code)}
    unknown = {code for code in named - settings() if not code.endswith((".py", ".md", ".toml"))}
    assert not {code for code in unknown if not (CHECKOUT / code.replace(".", "/")).with_suffix(".py").exists()}


def test_every_module_that_a_page_runs_exists(page: Path) -> None:
    for module in re.findall(r"python -m ((?:goldfleet|infra|image|local|app|bench)[a-z_.]*)", page.read_text()):
        path = CHECKOUT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_every_path_in_code_exists(page: Path) -> None:
    """Paths of the checkout that stand in code; a `*` stands for any name."""
    for code in CODE.findall(page.read_text()):
        if re.fullmatch(r"(goldfleet|infra|image|local|app|tests|docs|bench|\.ci)/[\w./*-]+", code):
            assert list(CHECKOUT.glob(code.rstrip("/"))), code


def settings() -> set[str]:
    """Every key, with its component."""
    return {
        f"{component}.{key}"
        for component, field in Components.model_fields.items()
        for key in field.annotation.model_fields  # type: ignore[union-attr]
    }


def headings(page: Path) -> set[str]:
    """Anchors of a page's headings, as code hosts make them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}

"""The page of settings says everything, and is the one that is committed."""

from __future__ import annotations

from infra.settings import document
from infra.settings.settings import Components


def test_the_page_is_the_models() -> None:
    assert document.PAGE.read_text() == document.page(), "run: python -m infra.settings.document"


def test_every_setting_is_described() -> None:
    for component, field in Components.model_fields.items():
        for key, setting in field.annotation.model_fields.items():  # type: ignore[union-attr]
            assert setting.description, f"{component}.{key}"
            assert setting.description in document.page()

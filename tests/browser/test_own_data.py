"""A visitor brings files of their own in a real browser: a table and a zip of pictures, and a file that is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from laboratory import mark
from playwright.sync_api import Page, expect
from test_data_shelf import pictures
from visitor import copy_of

from ked.recipe import Recipe
from ked.store import Run


@pytest.fixture
def page(open_tab: Callable[[], Page], address: str) -> Page:
    tab = open_tab()
    tab.goto(f"{address}/data")
    return tab


def bring(page: Page, file: Path) -> None:
    page.get_by_text("Bring your own data").click()
    page.locator("input[type=file]").set_input_files(file)


def test_a_table_is_uploaded_looked_at_and_deleted(page: Page, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{('rose', 'tulip')[i % 2]},{i}" for i, (a, b) in enumerate(generator.normal(size=(80, 2)))]
    (tmp_path / "my flowers.csv").write_text("\n".join(["length,width,species,number", *rows]))
    bring(page, tmp_path / "my flowers.csv")
    expect(page.get_by_role("combobox", name="Column with the class")).to_have_value("species")  # recognised by its name
    page.get_by_role("button", name="Use these data").click()
    expect(page.get_by_text("Own file my flowers.csv")).to_be_visible()
    expect(page.locator(".ked-plot[aria-label^='Samples of each of 2 classes'] .cartesianlayer")).to_be_visible()
    assert "data=own%3Amy-flowers-" in page.url
    page.reload()
    expect(page.get_by_text("Own file my flowers.csv")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Two handwritten digits")).to_be_visible()
    assert "own" not in page.url


def test_a_zip_of_class_folders_becomes_strips_and_a_broken_one_a_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(pictures()[:200])
    (tmp_path / "shades.zip").write_bytes(pictures())
    bring(page, tmp_path / "broken.zip")
    page.get_by_role("button", name="Use these data").click()
    expect(page.get_by_text("The file 'broken.zip' cannot be used")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "shades.zip")
    expect(page.get_by_text("The file 'broken.zip' cannot be used")).to_be_hidden()
    page.get_by_role("button", name="Use these data").click()
    expect(page.get_by_text("Own file shades.zip")).to_be_visible()
    expect(page.locator(".ked-plot[aria-label^='8 training samples of 2 classes'] .cartesianlayer")).to_be_visible()


def test_a_marked_row_of_a_table_is_explained(
    open_tab: Callable[[], Page], address: str, home: Path, small_recipe: Recipe, finish: Callable[[Recipe], Run]
) -> None:
    run = copy_of(finish(small_recipe.without(dataset="wine", superfeatures=3, epochs=1, teacher_epochs=1, methods=("ked",))), home)
    page = open_tab()
    page.goto(f"{address}/explain?run={run.id}")
    expect(page.get_by_role("heading", name="test sample 0")).to_be_visible()
    mark(page.get_by_test_id("stDataFrame").first, 2)
    expect(page.get_by_role("heading", name="test sample 2")).to_be_visible()
    assert "i=2" in page.url

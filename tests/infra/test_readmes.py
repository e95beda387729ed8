"""The READMEs of `infra/`: their tables are current, and their examples are right."""

from __future__ import annotations

import re
from pathlib import Path

import hcl2
import pytest

from tests.infra import hcl_files, readme_tables
from tests.infra.hcl_files import FOLDERS, INFRA, MODULES
from tests.local_cloud import ROOT


def examples(folder: Path) -> list[str]:
    """The pieces of HCL in a README."""
    return re.findall(r"```hcl\n(.*?)```", (folder / "README.md").read_text(), re.S)


@pytest.mark.parametrize("folder", FOLDERS, ids=hcl_files.name_of)
def test_the_tables_are_current(folder: Path) -> None:
    """A README's tables are what its files declare (`python -m tests.infra.readme_tables`)."""
    assert (folder / "README.md").read_text() == readme_tables.with_tables(folder)


@pytest.mark.parametrize("folder", MODULES, ids=hcl_files.name_of)
def test_the_example_calls_the_module_as_it_is(folder: Path) -> None:
    """An example gives every variable that must be given, and none that is not there."""
    (text,) = examples(folder)
    ((_, call),) = hcl2.loads(text)["module"][0].items()
    given = {name for name in call if not name.startswith("__")} - {"source"}
    known = {one.name for one in hcl_files.variables(folder)}
    required = {one.name for one in hcl_files.variables(folder) if one.default is None}

    assert call["source"].strip('"') == f"./modules/{folder.name}"
    assert given <= known
    assert required <= given


@pytest.mark.parametrize("number", [0, 1], ids=["the least", "everything"])
def test_the_root_s_examples_give_what_it_takes(number: int) -> None:
    """Both sets of variables are taken; the first is all that must be given."""
    given = {name for name in hcl2.loads(examples(INFRA)[number]) if not name.startswith("__")}
    required = {one.name for one in hcl_files.variables(INFRA) if one.default is None}

    assert given <= {one.name for one in hcl_files.variables(INFRA)}
    assert required <= given
    assert number or required == given


@pytest.mark.parametrize("folder", FOLDERS, ids=hcl_files.name_of)
def test_what_it_costs_at_rest_is_said(folder: Path) -> None:
    """A module's README says what it costs when nothing runs."""
    text = (folder / "README.md").read_text()

    assert "at rest" in text.lower()


@pytest.mark.parametrize("folder", FOLDERS, ids=hcl_files.name_of)
def test_links_lead_somewhere(folder: Path) -> None:
    """Files and folders that a README names are there."""
    text = (folder / "README.md").read_text()
    linked = [folder / name for name in re.findall(r"\]\(([^)#:]+)\)", text)]
    named = [ROOT / name for name in re.findall(r"`((?:docs|ops|tests)/[\w/.-]+\.\w+)`", text)]

    assert [str(path) for path in linked + named if not path.exists()] == []

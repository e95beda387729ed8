"""`terraform validate` and `terraform test`, with the real provider's schema and no network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infra import hcl_files, terraform_stack
from tests.infra.hcl_files import FOLDERS, MODULES
from tests.infra.test_readmes import examples
from tests.local_cloud import clean_environment


@pytest.fixture(scope="session")
def tree(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `infra/`, whose files a test may initialise."""
    del provider
    folder = tmp_path_factory.mktemp("infra") / "infra"
    terraform_stack.copied(folder)
    return folder


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What Terraform's own configuration is in, and nothing that points at a cloud."""
    cache = {
        "TF_PLUGIN_CACHE_DIR": str(tmp_path_factory.mktemp("plugins")),
        "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",
    }
    return {**cache, **clean_environment(), **terraform_stack.QUIET}


@pytest.mark.parametrize("folder", FOLDERS, ids=hcl_files.name_of)
def test_the_rules_of_a_module_hold(tree: Path, variables: Mapping[str, str], folder: Path) -> None:
    """A module is valid, and each of its own tests passes with the provider mocked."""
    place = tree / folder.relative_to(hcl_files.INFRA)
    terraform(place, variables, "init", "-backend=false")

    terraform(place, variables, "validate")
    said = terraform(place, variables, "test")

    runs = len(re.findall(r"^run ", _tests(folder), re.M))
    assert f"Success! {runs} passed, 0 failed." in said


def test_the_readmes_examples_are_valid(
    tree: Path, variables: Mapping[str, str], tmp_path: Path
) -> None:
    """The examples of all modules are a whole configuration together."""
    shutil.copytree(tree / "modules", tmp_path / "modules", ignore=shutil.ignore_patterns(".t*"))
    texts = [examples(folder)[0] for folder in MODULES]
    (tmp_path / "main.tf").write_text("\n".join(texts))
    terraform(tmp_path, variables, "init", "-backend=false")

    assert "Success" in terraform(tmp_path, variables, "validate")


def terraform(folder: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """What a command that must go well said."""
    done = terraform_stack.run(folder, environment, *arguments, "-no-color")
    assert done.exit_code == 0, done.text[-6000:]
    return done.text


def _tests(folder: Path) -> str:
    return "".join(path.read_text() for path in (folder / "tests").glob("*.tftest.hcl"))

"""`ops bootstrap` as a user meets it, where Terraform or its provider is not to be had."""

import json
import os
from pathlib import Path

import pytest

from tests.ops.conftest import Ops, Ran
from tests.ops.terraform_folder import needs_terraform

# A configuration of Terraform's that knows one mirror, with nothing in it.
EMPTY_MIRROR = """
provider_installation {
  filesystem_mirror {
    path = "%s"
  }
}
"""


@pytest.fixture
def no_terraform(tmp_path: Path) -> str:
    """A PATH on which there is no terraform."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return str(folder)


@pytest.fixture
def no_provider(tmp_path: Path) -> str:
    """A file for TF_CLI_CONFIG_FILE with which no provider is found."""
    mirror, file = tmp_path / "mirror", tmp_path / "terraformrc"
    mirror.mkdir()
    file.write_text(EMPTY_MIRROR % mirror)
    return str(file)


def prepared_by(home: Path) -> str:
    """Who prepared the stack, as it is on record."""
    (stack,) = json.loads((home / ".ops" / "default.json").read_text())["stacks"]
    return str(stack["prepared_by"])


def is_prepared(ran: Ran, home: Path, reason: str) -> None:
    """One line, the bucket, exit code 0."""
    assert ran.code == 0, ran.err
    assert ran.out.count("\n") == 1
    assert ran.out.startswith(f"Without Terraform: {reason}")
    assert "gs://local-project-ops-default" in ran.out
    assert prepared_by(home) == "ops"


def test_without_terraform_the_local_project_is_prepared(
    ops: Ops, no_terraform: str, tmp_path: Path
) -> None:
    """One line says so and what to install; a second time it is the same."""
    first = ops("bootstrap", PATH=no_terraform)
    again = ops("bootstrap", PATH=no_terraform, TF_CLI_CONFIG_FILE=os.devnull)

    is_prepared(first, tmp_path / "home", "The program terraform was not found.")
    assert "Install Terraform 1.9 or newer" in first.out
    is_prepared(again, tmp_path / "home", "The program terraform was not found.")
    assert ops("status").code == 0


@needs_terraform
def test_without_the_provider_the_local_project_is_prepared(
    ops: Ops, no_provider: str, tmp_path: Path
) -> None:
    """Neither a state nor a bucket for one is left behind."""
    ran = ops("bootstrap", "--json", TF_CLI_CONFIG_FILE=no_provider)
    text = ops("bootstrap", TF_CLI_CONFIG_FILE=no_provider)

    assert ran.code == 0, ran.err
    assert ran.json["result"]["prepared_by"] == "ops"
    is_prepared(text, tmp_path / "home", "Terraform could not get the provider hashicorp/google")
    assert "TF_CLI_CONFIG_FILE" in text.out


def test_read_only_needs_somebody_to_have_bootstrapped(ops: Ops, no_terraform: str) -> None:
    """Nothing is made; it says who has to do what."""
    ran = ops("bootstrap", "--read-only", PATH=no_terraform)

    assert ran.code == 4
    assert "nobody has bootstrapped it" in ran.err
    assert "Type: ops bootstrap" in ran.err


def test_a_stack_whose_name_is_too_long_for_accounts(ops: Ops) -> None:
    """Refused before anything is made, with the length that is allowed."""
    ran = ops("bootstrap", "--stack", "a-name-that-is-too-long")

    assert ran.code == 2
    assert "23 characters; with Terraform it can have 20" in ran.err

"""tflint and checkov find nothing in `infra/`, but what a line there explains."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.infra import hcl_files
from tests.infra.hcl_files import FOLDERS, INFRA
from tests.local_cloud import ROOT, clean_environment

SKIPPED = re.compile(r"# checkov:skip=(CKV\w+): (.+)")


def tool(name: str, install: str) -> str:
    """The program's path; without one the test is skipped, with what to type."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs the program {name}: {install}")
    return path


def reasons() -> dict[str, str]:
    """Each check that a resource is let off from, and why."""
    return {
        check: reason
        for folder in FOLDERS
        for path in hcl_files.files(folder)
        for check, reason in SKIPPED.findall(path.read_text())
    }


def test_an_exception_says_why() -> None:
    """A check is left out by a sentence on its line, and docs/infra.md has it."""
    page = (ROOT / "docs" / "infra.md").read_text()

    assert [check for check, reason in reasons().items() if len(reason) < 40] == []
    assert sorted(re.findall(r"^\| (CKV\w+) \|", page, re.M)) == sorted(reasons())


def test_checkov_finds_nothing() -> None:
    """Every check of checkov's holds, but for those that a line of `infra/` explains."""
    checkov = tool("checkov", "pip install checkov, in a virtual environment of its own")
    command = [checkov, "--directory", ".", "--framework", "terraform", "--skip-download"]
    done = run([*command, "--output", "json", "--compact"])
    found: dict[str, Any] = json.loads(done.stdout)
    failed = [f"{one['check_id']} {one['resource']}" for one in found["results"]["failed_checks"]]

    assert failed == []
    assert {one["check_id"] for one in found["results"]["skipped_checks"]} == set(reasons())
    assert found["summary"]["passed"] > 0


def test_tflint_finds_nothing() -> None:
    """Every rule of tflint's for Terraform holds in every module."""
    tflint = tool("tflint", "go install github.com/terraform-linters/tflint@v0.64.0")
    done = run([tflint, "--recursive", f"--config={INFRA / '.tflint.hcl'}", "--format=compact"])

    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def run(command: list[str], folder: Path = INFRA) -> subprocess.CompletedProcess[str]:
    """How a tool ended, and what it said."""
    return subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False
    )

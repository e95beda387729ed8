"""The tools that a reviewer would run by hand."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--quiet", "."],
        ["ruff", "format", "--check", "--quiet", "."],
        ["lint-imports"],
        ["mypy"],
    ],
    ids=lambda command: " ".join(command),
)
def test_the_tree_is_clean(command: list[str]) -> None:
    """Lint, format, import arrows and types hold over the whole tree."""
    result = subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout + result.stderr

"""The sizes that keep the code readable, and words that do not belong in it."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FUNCTION_LINES = 50
MAX_FILE_LINES = 300
MAX_TEST_FILE_LINES = 400
MAX_COMMAND_LINES = 15
UNWANTED_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}
REGISTRY_HOSTS = re.compile(
    r"p[y]pi\.org|p[y]thonhosted|registry\.n[p]mjs|static\.c[r]ates|index\.c[r]ates|"
    r"proxy\.g[o]lang|repo1?\.m[a]ven|deb\.d[e]bian"
)
MACHINE_PATHS = re.compile(r"/[w]ork/(main|shared|steering|\.library)|/[f]arm/")


def tracked(*patterns: str) -> list[Path]:
    """Paths of the files that git knows or would add, matching `patterns`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return sorted(path for name in names.splitlines() if (path := ROOT / name).is_file())


def name_of(path: Path) -> str:
    """The path as a person reads it, from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from the `def` to the end, decorators and docstring apart."""
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1


def is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether Typer registers this function as a command."""
    words = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any(word.startswith("command(") or ".command(" in word for word in words)


PYTHON_FILES = tracked("*.py")


def test_no_function_is_longer_than_fifty_lines() -> None:
    """Functions stay short enough to be read at a glance."""
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} has {lines_of(node)} lines"
        for path in PYTHON_FILES
        for node in functions(ast.parse(path.read_text()))
        if lines_of(node) > MAX_FUNCTION_LINES
    ]

    assert long == []


def test_no_file_is_longer_than_its_limit() -> None:
    """Files stay short: 300 lines, and 400 for tests."""
    long = []
    for path in PYTHON_FILES:
        limit = MAX_TEST_FILE_LINES if name_of(path).startswith("tests/") else MAX_FILE_LINES
        if (count := len(path.read_text().splitlines())) > limit:
            long.append(f"{name_of(path)} has {count} lines, at most {limit}")

    assert long == []


def test_command_bodies_hold_no_rules() -> None:
    """A command's body is at most fifteen lines: options, one call, render."""
    fat = [
        f"{name_of(path)}:{node.lineno} {node.name} has {lines_of(node)} lines"
        for path in tracked("ops/cli/*.py")
        for node in functions(ast.parse(path.read_text()))
        if is_command(node) and lines_of(node) > MAX_COMMAND_LINES
    ]

    assert fat == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    """No module is called utils, common, helpers or manager."""
    vague = [name_of(path) for path in PYTHON_FILES if path.stem.lower() in UNWANTED_NAMES]

    assert vague == []


def test_every_test_says_what_it_shows() -> None:
    """Each test function carries a sentence."""
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in tracked("tests/**/test_*.py", "tests/test_*.py")
        for node in functions(ast.parse(path.read_text()))
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]

    assert silent == []


@pytest.mark.parametrize("unwanted", [REGISTRY_HOSTS, MACHINE_PATHS], ids=["registry", "machine"])
def test_no_address_of_one_machine_or_registry_is_kept(unwanted: re.Pattern[str]) -> None:
    """Nothing in the project works on one machine, or through one registry, only."""
    found = [
        f"{name_of(path)}:{number} {line.strip()[:80]}"
        for path in tracked()
        if path.suffix not in {".jpg", ".png", ".gz"}
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if unwanted.search(line)
    ]

    assert found == []


def test_nothing_happens_at_import() -> None:
    """Modules of the three packages only define: no bare call, loop or `with` at the top level."""
    definitions = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    values = (ast.Assign, ast.AnnAssign, ast.If)
    busy = [
        f"{name_of(path)}:{node.lineno} {ast.unparse(node)[:60]}"
        for path in tracked("ops/**/*.py", "emulator/**/*.py", "trainer/**/*.py")
        for node in ast.parse(path.read_text()).body
        if not isinstance(node, definitions + values)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]

    assert busy == []

"""`docs/emulator.md`: what it says to type is typed, in its order, by somebody who has only it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud import ROOT, LocalCloud, clean_environment, running_cloud

PAGE = ROOT / "docs" / "emulator.md"
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAX_SECONDS = 120


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """The server of the page's first command, on a free port."""
    with running_cloud(tmp_path / "my-cloud") as cloud:
        yield cloud


def blocks() -> list[tuple[str, str, str]]:
    """Language, role and text of every command on the page."""
    return [(found[1], found[2] or "", found[3]) for found in BLOCK.finditer(PAGE.read_text())]


def run(block: tuple[str, str, str], folder: Path) -> str:
    """What a command prints, run as a reader would; fails the test where it fails."""
    language, _, text = block
    words = {"bash": ["bash", "-e", "-c"], "python": [sys.executable, "-c"]}[language]
    if language == "bash":
        text = f"set -a; . my-cloud/env; set +a\n{text}"
        script = [*words, text]
    else:
        script = ["bash", "-c", 'set -a; . my-cloud/env; set +a; exec "$0" -c "$1"', words[0], text]
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    result = subprocess.run(
        script,
        cwd=folder,
        env=clean_environment(PATH=path, PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
    )
    assert result.returncode == 0, f"{text}\n{result.stdout[-1000:]}\n{result.stderr[-2000:]}"
    return result.stdout


def test_every_command_of_the_page_works_in_its_order(
    own_cloud: LocalCloud, tmp_path: Path
) -> None:
    """From curl to faults: each command ends well, and prints what the page promises."""
    from PIL import Image

    assert own_cloud.data == tmp_path / "my-cloud"
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "photo.jpg")
    todo = [block for block in blocks() if block[1] == ""]

    said = "\n".join(run(block, tmp_path) for block in todo)

    assert len(todo) == len(blocks()) - 3
    (stop,) = [block for block in blocks() if block[1] == "stop"]
    assert run(stop, tmp_path).startswith(f"Stopped the server (pid {own_cloud.process.pid}).")
    assert "'hats/1.jpg', 'shoes/1.jpg'" in said
    assert "['photos']" in said
    assert "three shoes, one hat" in said
    assert "does not have storage.objects.get access" in said
    assert said.rstrip().endswith("503")


@pytest.mark.parametrize("role", ["serve", "help"])
def test_the_options_of_the_page_exist(role: str, tmp_path: Path) -> None:
    """What the page starts is taken: with `--help` behind it, the usage is printed."""
    text = next(block[2] for block in blocks() if block[1] == role)
    script = text.strip().replace("python", sys.executable, 1) + " --help"

    result = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=clean_environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
    )

    assert result.returncode == 0, result.stderr
    assert "usage: python -m emulator serve" in result.stdout

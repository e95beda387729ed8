"""A checkout as a runner finds it, with the set-up done, and a cloud that trains in a blink."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud import ROOT, LocalCloud, running_cloud
from tests.ops.life import engine_options, write_photos

SET_UP = ".setup-done"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """What `actions/checkout` leaves, photos of a user's in it, after `make setup`."""
    folder = tmp_path / "workspace"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    own = folder / ".venv"
    own.mkdir()
    for part in Path(sys.prefix).iterdir():
        if part.name != SET_UP:
            (own / part.name).symlink_to(part)
    (own / SET_UP).touch()
    write_photos(folder / "photos")
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The runner's own folder, outside of the checkout."""
    folder = tmp_path / "runner"
    folder.mkdir()
    return folder


@pytest.fixture
def quick_cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    """A local cloud whose engines train at once."""
    (tmp_path / "gate").touch()
    with running_cloud(tmp_path / "cloud", *engine_options(tmp_path)) as cloud:
        yield cloud

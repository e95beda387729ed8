"""`make demo`'s own story, with an engine that trains in a blink, on machines without Terraform."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.__main__ import tell
from demo.commands import Commands
from tests.local_cloud import running_cloud
from tests.ops.life import COLOURS, engine_options, write_photos
from tests.ops.terraform_folder import needs_terraform

# Terraform's own way to say that providers are there and nowhere else.
MIRROR = """
provider_installation {{
  filesystem_mirror {{
    path = "{path}"
  }}
}}
"""


@contextmanager
def demo(folder: Path, **variables: str) -> Iterator[tuple[Commands, Path]]:
    """The demo's commands, and photos for it."""
    home = folder / "home"
    home.mkdir()
    (home / "gate").touch()
    (folder / "demo").mkdir()
    write_photos(home / "photos")
    with running_cloud(folder / "demo" / "cloud", *engine_options(home)):
        yield Commands(folder / "demo", variables=variables), home / "photos"


@pytest.fixture
def without_terraform() -> str:
    """A PATH on which there is no Terraform."""
    folders = os.environ["PATH"].split(os.pathsep)
    kept = [folder for folder in folders if not (Path(folder) / "terraform").exists()]
    path = os.pathsep.join(kept)
    assert shutil.which("terraform", path=path) is None
    return path


def test_a_machine_without_terraform(
    tmp_path: Path, without_terraform: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line says so; the story goes on to its end, and nothing is left."""
    with demo(tmp_path, PATH=without_terraform) as (commands, photos):
        ended = tell(commands, photos)

    shown = capfd.readouterr()
    assert (ended.left, len(ended.examples), len(COLOURS)) == ([], 3, len(ended.imported["labels"]))
    assert shown.err.index("$ ops bootstrap --yes") < shown.err.index("$ ops import-dataset")
    said = [line for line in shown.out.splitlines() if "Terraform" in line]
    assert len(said) == 1
    assert said[0].startswith("Without Terraform: The program terraform was not found. ")


@needs_terraform
def test_a_machine_without_the_provider(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same one line, where Terraform is there and can get no provider."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    rc = tmp_path / "terraform.rc"
    rc.write_text(MIRROR.format(path=mirror))

    with demo(tmp_path, TF_CLI_CONFIG_FILE=str(rc)) as (commands, photos):
        commands.show("bootstrap", *commands.agreed)
        commands.show("import-dataset", str(photos))
        commands.show("teardown", "--unprotect", *commands.agreed)
        left = commands.run("status", quiet=True)["items"]

    said = [line for line in capfd.readouterr().out.splitlines() if "Terraform" in line]
    assert left == []
    assert len(said) == 1
    assert said[0].startswith("Without Terraform: Terraform could not get the provider")
